import { join } from "node:path";
import { expect, test } from "vitest";
import { ALWAYS, type Entry, urlOf } from "../harness/audit.ts";
import { quietly, serve } from "../harness/command.ts";
import { ask, LIST, ORD, one } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

const refused = { token: "demo-patchbay-read-token-000000000000000" };

async function entries(url: string): Promise<Entry[]> {
  const { body } = await ask(url, "GET", urlOf({ ...ALWAYS, limit: 1000 }));
  return body.result;
}

test("what the audit log has told survives kill -9, refusals included", async () => {
  const options = quietly(join(temporaryDirectory(), "data"));
  let told: Entry[] = [];
  for (let round = 1; round <= 5; round++) {
    const server = await serve(options);
    // Nothing that was told is gone, and nothing is there that nobody did.
    if (round > 1) expect(await entries(server.url)).toEqual(told);
    const rays: (string | null)[] = [];
    for (let count = 0; count < 4; count++) {
      const [change, refusal] = await Promise.all([
        ask(server.url, "PUT", one(ORD), { body: { description: `round ${round}, ${count}` } }),
        ask(server.url, "GET", LIST, refused),
      ]);
      rays.push(change.headers.get("cf-ray"), refusal.headers.get("cf-ray"));
    }
    const before = told;
    told = await entries(server.url);
    const added = told.slice(0, told.length - before.length);
    expect(
      added
        .map(({ raw }) => raw.cf_ray_id)
        .filter((ray) => ray !== "seed")
        .sort(),
    ).toEqual(rays.sort());
    if (round > 1) expect(told.slice(added.length)).toEqual(before);
    expect(await server.end("SIGKILL")).toEqual({ code: null, signal: "SIGKILL" });
  }
  expect(told).toHaveLength(2 + 5 * 8);
});

test("on a disk that takes no more, refusals are answered and the audit log is read", async () => {
  const options = quietly(join(temporaryDirectory(), "data"));
  const server = await serve(options, { before: ["bash", "-c", `ulimit -f 400; exec "$0" "$@"`] });
  const { url } = server;
  const description = "to fill the disk ".repeat(50);
  for (let count = 0; ; count++) {
    const { status } = await ask(url, "PUT", one(ORD), { body: { description: `${count} ${description}` } });
    if (status !== 200) break;
  }
  for (let count = 0; count < 30; count++) expect((await ask(url, "GET", LIST, refused)).status).toBe(403);
  const reply = await ask(url, "GET", urlOf(ALWAYS));
  expect(reply.status).toBe(200);
  expect(reply.body.result.length).toBeGreaterThan(10);
  await server.end("SIGTERM");
});
