/** At Cloudflare's API: what goes wrong in the middle of a command, and what its last line says then. */

import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fileOf, patchbay, start } from "../harness/cli.ts";
import {
  type CloudflareDouble,
  type Meddling,
  type SeenRequest,
  startCloudflareDouble,
} from "../harness/cloudflare-double.ts";
import { LIST, ORD } from "../harness/server.ts";

let double: CloudflareDouble;
let meddle: (request: SeenRequest) => Meddling | Promise<Meddling>;
beforeEach(async () => {
  meddle = () => undefined;
  double = await startCloudflareDouble({ meddle: (request) => meddle(request) });
});
afterEach(() => double.close());

const EDIT = "interconnects:\n  pni_ord: { mtu: 1400 }\n";
const mtu = () => double.interconnects().find(({ id }) => id === ORD)?.mtu;
/** The call that changes, as against those that look. */
const changes = ({ method, query }: SeenRequest) => method === "PUT" && !query.has("validate_only");

describe("in the middle of apply", () => {
  const answer502: Meddling = {
    status: 502,
    body: { success: false, errors: [], messages: [], result: null },
  };
  test.each<[string, Meddling, before: number]>([
    ["the connection breaks", "break", 2],
    ["the answer breaks off", "break the answer", 0],
    ["the gateway answers 502", answer502, 2],
  ])("%s: nobody knows, and the next line says how to know", async (_, meddling, exit) => {
    meddle = (request) => (changes(request) ? meddling : undefined);
    const file = fileOf(EDIT);
    const { code, stderr } = await patchbay(double, ["apply", "-f", file, "--yes"]);
    expect(code).toBe(1);
    const command = ["plan", "-f", file];
    expect(stderr).toContain(
      `Whether the change was made is not known. This tells: patchbay ${command.join(" ")}\n`,
    );
    meddle = () => undefined;
    expect((await patchbay(double, command)).code).toBe(exit);
  });

  test.each([
    ["never does it", false],
    ["does it", true],
  ])("ctrl-c while the server holds the call and then %s: not known, and how to know", async (_, done) => {
    const arrived = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    meddle = async (request) => {
      if (!changes(request)) return undefined;
      arrived.resolve();
      await goOn.promise;
      return done ? undefined : "break";
    };
    const file = fileOf(EDIT);
    const running = start(double, ["apply", "-f", file, "--yes"]);
    await arrived.promise;
    running.child.kill("SIGINT");
    const { code, stderr } = await running.ended;
    expect({ code, stderr }).toEqual({
      code: 130,
      stderr: `\nWhether the change was made is not known. This tells: patchbay plan -f ${file}\n`,
    });
    goOn.resolve();
    meddle = () => undefined;
    expect((await patchbay(double, ["plan", "-f", file])).code).toBe(done ? 0 : 2);
    expect(double.requests.filter(({ path }) => path !== LIST)).toEqual([]);
  });

  test.each([
    ["reads", ({ method }: SeenRequest) => method === "GET"],
    ["has the plan judged", ({ query }: SeenRequest) => query.has("validate_only")],
  ])("ctrl-c while it still %s: nothing was changed", async (_, held) => {
    const arrived = Promise.withResolvers<void>();
    meddle = (request) => {
      if (!held(request)) return undefined;
      arrived.resolve();
      return new Promise(() => undefined);
    };
    const running = start(double, ["apply", "-f", fileOf(EDIT), "--yes"]);
    await arrived.promise;
    running.child.kill("SIGINT");
    await once(running.child, "close");
    expect(running.said.stderr).toBe("\nInterrupted. Nothing was changed.\n");
    expect(mtu()).toBe(1476);
  });
});
