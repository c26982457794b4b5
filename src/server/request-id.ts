import { randomBytes } from "node:crypto";

/** Ids in the form of `cf-ray`: 16 hex digits and a place. Random per server, then counted. */
export function requestIds(): () => string {
  const server = randomBytes(4).toString("hex");
  let count = randomBytes(4).readUInt32BE();
  return () => {
    count = (count + 1) >>> 0;
    return `${server}${count.toString(16).padStart(8, "0")}-PBY`;
  };
}
