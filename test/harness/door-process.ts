/** Passes connections to a port of this namespace's loopback on to a Unix socket. Says so once it does. */

import { connect, createServer } from "node:net";

const [path = "", port] = process.argv.slice(2);
createServer((near) => {
  const far = connect(path);
  near.on("error", () => far.destroy());
  far.on("error", () => near.destroy());
  near.on("close", () => far.destroy());
  far.on("close", () => near.destroy());
  near.pipe(far).pipe(near);
}).listen(Number(port), "127.0.0.1", () => process.stdout.write("open\n"));
