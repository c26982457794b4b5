import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { afterAll, expect, test } from "vitest";
import { parse } from "yaml";
import { runCommand } from "../harness/command.ts";
import { ACCOUNT, demo, startTestServer } from "../harness/server.ts";

const server = await startTestServer();
afterAll(() => server.close());

const env = {
  CLOUDFLARE_API_TOKEN: demo.token,
  CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
  CLOUDFLARE_BASE_URL: `${server.url}/client/v4`,
};

test("an export names its schema, which the server gives to editors without a credential, and which takes the export", async () => {
  const { code, stdout } = await runCommand(["export"], { env });
  expect(code).toBe(0);
  const [, url = ""] = /^# yaml-language-server: \$schema=(\S+)$/m.exec(stdout) ?? [];
  expect(url).toBe(`${server.url}/patchbay/v1/schemas/interconnects.json`);
  const answer = await fetch(url);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/schema+json"]);
  const ajv = new Ajv2020({ strict: false });
  formats.default(ajv);
  const validate = ajv.compile(Object(await answer.json()));
  const file = parse(stdout);
  expect(validate(file), JSON.stringify(validate.errors)).toBe(true);
  for (const wrong of [
    { ...file, interconnect: {} },
    { interconnects: { pni_ord: { mtu: "1400" } } },
    { interconnects: { pni_ord: { mtuu: 1400 } } },
    { interconnects: { pni_ord: { version: "2" } } },
    {},
  ])
    expect(validate(wrong), JSON.stringify(wrong)).toBe(false);
});
