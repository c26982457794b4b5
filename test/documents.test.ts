import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { generatedContract, generatedPages } from "../src/admin/write-docs.ts";

const root = join(import.meta.dirname, "..");
const read = (file: string) => readFileSync(join(root, file), "utf8");

describe("docs/compatibility.md", () => {
  const rows = read("docs/compatibility.md")
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.startsWith("| behaviour") && !line.startsWith("| ---"));

  test("marks every row", () => {
    expect(rows.length).toBeGreaterThan(50);
    for (const row of rows) expect(row.split(" | ")[1]).toMatch(/documented|observed|inferred|ours/);
  });

  test("names tests that exist", () => {
    for (const row of rows) {
      const files = [...row.matchAll(/`((?:src|test)\/[\w./-]+\.test\.ts)`/g)].map(([, file]) =>
        String(file),
      );
      expect(files, row).not.toEqual([]);
      for (const file of files) expect(existsSync(join(root, file)), file).toBe(true);
    }
  });
});

test("docs/errors holds what the table of errors says (npm run docs writes it)", () => {
  const pages = generatedPages();
  expect(readdirSync(join(root, "docs/errors")).sort()).toEqual([...pages.keys()].sort());
  for (const [name, text] of pages) expect(read(`docs/errors/${name}`), name).toBe(text);
});

test("docs/openapi.json is the contract that the server publishes (npm run docs writes it)", () => {
  expect(read("docs/openapi.json")).toBe(generatedContract());
});

test("every dependency has its line in docs/dependencies.md", () => {
  const text = read("docs/dependencies.md");
  for (const file of ["package.json", "web/package.json"]) {
    const { dependencies, devDependencies } = JSON.parse(read(file));
    for (const name of Object.keys({ ...dependencies, ...devDependencies }))
      expect(text).toContain(`[${name}](`);
  }
});

test("the lock file names no registry", () => {
  // A workspace is resolved to its folder.
  const resolved = read("package-lock.json").match(/"resolved": .*/g);
  expect(resolved).toEqual(['"resolved": "web",']);
});
