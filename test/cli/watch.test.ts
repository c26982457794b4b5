/** `patchbay get --watch`, where a log tells of changes and where nothing does. */

import { expect, test } from "vitest";
import { patchbay, start } from "../harness/cli.ts";
import { startCloudflareDouble } from "../harness/cloudflare-double.ts";
import { LIST, ORD, one, startTestServer } from "../harness/server.ts";

test("at Cloudflare's API it reads again every ten seconds, waits out the limit, and shows what changed", async () => {
  const limited = { status: 429, body: { success: false, errors: [] }, headers: { "retry-after": "1" } };
  let read = 0;
  const polled = Promise.withResolvers<void>();
  await using double = await startCloudflareDouble({
    meddle: ({ path }) => {
      if (path !== LIST) return undefined;
      if (++read === 3) polled.resolve();
      return read === 2 ? limited : undefined;
    },
  });
  const watching = start(double, ["get", "pni_ord", "--watch"]);
  await watching.hears(/Tunnel for Interconnect to ORD/);
  const began = performance.now();
  double.change(ORD, { description: "watched" });
  await watching.hears(/watched/);
  await polled.promise;
  expect(performance.now() - began).toBeGreaterThan(9_000);
  watching.child.kill("SIGINT");
  const { code, stdout, stderr } = await watching.ended;
  expect(code).toBe(130);
  expect(stdout.match(/^NAME/gm)).toHaveLength(2);
  expect(stderr).toBe("The server asks to wait 1 s (429).\n\nNo longer watching. Nothing was changed.\n");
  expect(double.requests.every(({ method }) => method === "GET")).toBe(true);
});

test("where the server is gone it ends, and says so", async () => {
  const double = await startCloudflareDouble();
  const { code } = await patchbay(double, ["get"]);
  expect(code).toBe(0);
  await double.close();
  const gone = await patchbay(double, ["get", "--watch"]);
  expect(gone.code).toBe(1);
  expect(gone.stderr).toContain(`${double.url} cannot be reached`);
});

test("a Patchbay that begins another history is shown as it is then, and watched on", async () => {
  await using server = await startTestServer();
  await server.ask("PUT", one(ORD), { body: { description: "before the reset" } });
  const watching = start(server, ["get", "pni_ord", "--watch"]);
  await watching.hears(/before the reset/);
  await server.ask("POST", "/patchbay/v1/reset");
  await watching.hears(/Tunnel for Interconnect to ORD/);
  await server.ask("PUT", one(ORD), { body: { description: "after the reset" } });
  await watching.hears(/after the reset/);
  watching.child.kill("SIGINT");
  expect((await watching.ended).code).toBe(130);
});
