import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, onTestFinished } from "vitest";

/** A directory of the running test's own, gone when the test is over. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "patchbay-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The same for all tests of a group, gone when they are over. */
export function temporaryDirectoryForAll(): string {
  const directory = mkdtempSync(join(tmpdir(), "patchbay-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
