import { writeFileSync } from "node:fs";
import { join } from "node:path";
import Cloudflare from "cloudflare";
import { describe, expect, test } from "vitest";
import { ConfigError, createPatchbay, type Patchbay, StoreRefused } from "../src/index.ts";
import { makeSeed, OWN_TOKEN } from "./harness/seeds.ts";
import { ACCOUNT, ask, demo, LIST, ORD, OWN, one } from "./harness/server.ts";
import { temporaryDirectory } from "./harness/temporary.ts";

/** What a test of somebody else's project does with it. */
function interconnectsOf({ url, token }: Patchbay) {
  return new Cloudflare({ apiToken: token, baseURL: `${url}/client/v4` }).magicTransit.cfInterconnects;
}

const mtuOf = async ({ url }: Patchbay) =>
  (await ask(url, "GET", one(ORD))).body.result.interconnect.mtu as number;

/** Does anybody answer there? */
async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false,
  );
}

describe("createPatchbay", () => {
  test("starts the demonstration, with all that the official client needs", async () => {
    await using patchbay = await createPatchbay();
    expect(patchbay).toMatchObject({
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      token: demo.token,
      accountId: demo.account,
    });
    const { accountId: account_id } = patchbay;
    const changed = await interconnectsOf(patchbay).update(ORD, { account_id, mtu: 1400 });
    expect(changed.modified_interconnect?.mtu).toBe(1400);
  });

  test("goes back to the seed with reset: objects, log and history", async () => {
    await using patchbay = await createPatchbay();
    const before = (await ask(patchbay.url, "GET", `${OWN}/state`)).body.result;
    await ask(patchbay.url, "PUT", one(ORD), { body: { mtu: 1400 } });
    await patchbay.reset();
    const after = (await ask(patchbay.url, "GET", `${OWN}/state`)).body.result;
    expect(after.epoch).not.toBe(before.epoch);
    expect(after.revision).toBe(1);
    const stamps = { created_on: 0, modified_on: 0 };
    const plain = (list: object[]) => list.map((it) => ({ ...it, ...stamps }));
    expect(plain(after.interconnects)).toEqual(plain(before.interconnects));
    const log = await ask(patchbay.url, "GET", `${OWN}/changes`);
    expect(log.body.result.map(({ operation }: { operation: string }) => operation)).toEqual(["seed"]);
  });

  test("is stopped by close, once and for all", async () => {
    const patchbay = await createPatchbay();
    expect(await answers(patchbay.url)).toBe(true);
    await Promise.all([patchbay.close(), patchbay.close()]);
    await patchbay.close();
    expect(await answers(patchbay.url)).toBe(false);
  });

  test("is stopped at the end of the block by await using", async () => {
    let url: string;
    {
      await using patchbay = await createPatchbay();
      url = patchbay.url;
      expect(await answers(url)).toBe(true);
    }
    expect(await answers(url)).toBe(false);
  });

  test("starts several at once, each a world of its own", async () => {
    await using one = await createPatchbay();
    await using two = await createPatchbay();
    await using three = await createPatchbay();
    expect(new Set([one.url, two.url, three.url]).size).toBe(3);
    const { accountId: account_id } = two;
    await interconnectsOf(two).update(ORD, { account_id, mtu: 1400 });
    expect([await mtuOf(one), await mtuOf(two), await mtuOf(three)]).toEqual([1476, 1400, 1476]);
    await one.reset();
    expect(await mtuOf(two)).toBe(1400);
  });

  test("listens on the port that is asked for", async () => {
    const { port } = await freed();
    await using patchbay = await createPatchbay({ port });
    expect(patchbay.url).toBe(`http://127.0.0.1:${port}`);
    await expect(createPatchbay({ port })).rejects.toThrow(
      new ConfigError(
        `Port ${port} is taken by another program. Choose another with port (0 picks a free one).`,
      ),
    );
  });

  test.each([-1, 65536, 1.5, Number.NaN])("refuses %s as a port", async (port) => {
    await expect(createPatchbay({ port })).rejects.toThrow(
      new ConfigError(`port is ${port}, but must be a port number from 0 to 65535 (0 picks a free one).`),
    );
  });

  test("forgets without a directory, and keeps with one", async () => {
    const data = join(temporaryDirectory(), "data");
    for (const options of [{}, { data }]) {
      await using patchbay = await createPatchbay(options);
      await ask(patchbay.url, "PUT", one(ORD), { body: { mtu: 1400 } });
    }
    await using forgetful = await createPatchbay();
    await using keeping = await createPatchbay({ data });
    expect([await mtuOf(forgetful), await mtuOf(keeping)]).toEqual([1476, 1400]);
    await expect(createPatchbay({ data })).rejects.toBeInstanceOf(StoreRefused);
    await keeping.reset();
    expect(await mtuOf(keeping)).toBe(1476);
  });

  /** A port that was free a moment ago. */
  async function freed(): Promise<{ port: number }> {
    await using patchbay = await createPatchbay();
    return { port: Number(new URL(patchbay.url).port) };
  }
});

describe("a seed of one's own", () => {
  const count = async ({ url }: Patchbay) =>
    (await ask(url, "GET", LIST, { token: OWN_TOKEN })).body.result.interconnects.length as number;

  test("may be text, or a file", async () => {
    const file = join(temporaryDirectory(), "world.yaml");
    writeFileSync(file, makeSeed(5));
    await using byText = await createPatchbay({ seed: makeSeed(3) });
    await using byFile = await createPatchbay({ seed: { file } });
    expect([await count(byText), await count(byFile)]).toEqual([3, 5]);
    expect((await ask(byText.url, "GET", LIST)).status).toBe(403);
  });

  test("is what reset goes back to, as it was read at the start", async () => {
    const file = join(temporaryDirectory(), "world.yaml");
    writeFileSync(file, makeSeed(5));
    await using patchbay = await createPatchbay({ seed: { file } });
    writeFileSync(file, "no longer a seed");
    await patchbay.reset();
    expect(await count(patchbay)).toBe(5);
  });

  test("that is wrong rejects with every problem, and leaves nothing open", async () => {
    const seed = makeSeed(2).replaceAll("rate: low", "rate: slow");
    const rejected = createPatchbay({ seed });
    await expect(rejected).rejects.toBeInstanceOf(ConfigError);
    await expect(rejected).rejects.toThrow(
      [
        'seed:11:31: accounts.0.interconnects.0.health_check.rate is "slow", but must be one of "low", "mid", "high".',
        'seed:18:31: accounts.0.interconnects.1.health_check.rate is "slow", but must be one of "low", "mid", "high".',
      ].join("\n"),
    );
    const data = join(temporaryDirectory(), "data");
    await expect(createPatchbay({ seed, data })).rejects.toBeInstanceOf(ConfigError);
    await using patchbay = await createPatchbay({ seed: makeSeed(2), data });
    expect(await count(patchbay)).toBe(2);
  });

  test("that is not there rejects with its name", async () => {
    await expect(createPatchbay({ seed: { file: "missing.yaml" } })).rejects.toThrow(
      new ConfigError(
        "The seed file cannot be read: ENOENT: no such file or directory, open 'missing.yaml'.",
      ),
    );
  });

  test("holds its own account, with its own permissions", async () => {
    await using patchbay = await createPatchbay({ seed: makeSeed(1) });
    const { accountId } = patchbay;
    expect(accountId).toBe(ACCOUNT);
    const verified = await ask(patchbay.url, "GET", "/client/v4/user/tokens/verify", { token: OWN_TOKEN });
    expect(verified.body.result.status).toBe("active");
  });
});
