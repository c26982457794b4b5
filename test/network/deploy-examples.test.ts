import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readConfig } from "../../src/server/config.ts";
import { runCommand } from "../harness/command.ts";

const folder = join(import.meta.dirname, "../../docs/deploy");
const files = readdirSync(folder).map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));

describe("docs/deploy", () => {
  test("names settings that there are, with values that they take", async () => {
    const { stdout } = await runCommand(["serve", "--help"]);
    for (const { name, text } of files) {
      const set = [...text.matchAll(/\b(PATCHBAY_[A-Z_]+)=(\S+)/g)];
      for (const [, variable = "", value] of set) {
        expect(stdout, `${name}: ${variable}`).toContain(`[${variable}]`);
        if (!variable.startsWith("PATCHBAY_TLS"))
          expect(() => readConfig({}, { [variable]: value })).not.toThrow();
      }
      for (const [option] of text.matchAll(/`(--(?:trust|public|tls|metrics)-[a-z]+)/g)) {
        expect(stdout, `${name}: ${option}`).toContain(option?.slice(1));
      }
    }
  });

  test("asks for health where it is", () => {
    const container = files.find(({ name }) => name === "Containerfile")?.text ?? "";
    const { metricsPort } = readConfig({}, {});
    expect(container).toContain(`http://127.0.0.1:${metricsPort}/readyz`);
  });

  test("has each proxy set every header that counts, or says that it does so by itself", () => {
    const nginx = files.find(({ name }) => name === "nginx.conf")?.text ?? "";
    for (const header of ["X-Forwarded-For $remote_addr", "X-Forwarded-Host", "X-Forwarded-Proto"]) {
      expect(nginx).toContain(`proxy_set_header ${header}`);
    }
  });
});
