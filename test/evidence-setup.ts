/** Gathers what the whole test run drove, and writes it to docs/evidence.md. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Operation } from "../src/contract/operation.ts";
import { operations } from "../src/contract/operations.ts";
import { describedOperations } from "./harness/contract.ts";

const file = join(import.meta.dirname, "../docs/evidence.md");

interface Note {
  readonly operation: string;
  readonly status: number;
  readonly by: string;
}

export function setup(): () => void {
  const directory = mkdtempSync(join(tmpdir(), "patchbay-evidence-"));
  process.env["PATCHBAY_EVIDENCE"] = directory;
  return () => {
    const notes = readdirSync(directory).flatMap((name) =>
      readFileSync(join(directory, name), "utf8")
        .trimEnd()
        .split("\n")
        .map((line): Note => JSON.parse(line)),
    );
    rmSync(directory, { recursive: true, force: true });
    // A part of the tests proves a part: only a whole run says what there is evidence for.
    if (process.env["PATCHBAY_WHOLE_RUN"] !== "1") return;
    const faults = [...write(render(notes)), ...neverSeen(notes)];
    if (faults.length > 0) throw new Error(faults.join("\n"));
  };
}

/** What the contract tells, and no test can bring about: `operation status`, and why. */
const unprovoked: Readonly<Record<string, string>> = {};

/** Every status that the contract tells of an operation has to have come about. */
function neverSeen(notes: readonly Note[]): string[] {
  const seen = new Set(notes.map(({ operation, status }) => `${operation} ${status}`));
  const told = describedOperations.flatMap(({ operation: { operationId, responses } }) =>
    Object.keys(responses).map((status) => `${operationId} ${status}`),
  );
  const missing = told.filter((one) => !seen.has(one) && !Object.hasOwn(unprovoked, one));
  const excused = Object.keys(unprovoked).filter((one) => seen.has(one) || !told.includes(one));
  return [
    ...missing.map((one) => `The contract tells of ${one}, which no test brought about.`),
    ...excused.map((one) => `${one} needs no excuse: it was seen, or is not in the contract.`),
  ];
}

function write(text: string): string[] {
  const before = existsSync(file) ? readFileSync(file, "utf8") : "";
  if (before === text) return [];
  writeFileSync(file, text);
  return ["docs/evidence.md did not say what this run shows. It does now: look at it, and commit it."];
}

function render(notes: readonly Note[]): string {
  const rows = Object.entries<Operation>(operations).map(([name, { method, path, origin }]) => {
    const own = notes.filter(({ operation }) => operation === name);
    const seen = own.map(({ status }) => status).filter((status) => status < 500);
    const statuses = [...new Set(seen)].sort((a, b) => a - b);
    const clients = [...new Set(own.filter(({ by }) => by !== "probe").map(({ by }) => by))].sort();
    const driven = clients.map((by) => by.replace("client, ", "")).join(", ");
    const evidence = driven === "" ? (own.length > 0 ? "probed" : "unproven") : `official client (${driven})`;
    return `| ${name} | \`${method} ${path}\` | ${origin} | ${evidence} | ${statuses.join(", ")} |`;
  });
  return `# Evidence

What the test run drove, operation by operation, and the statuses it saw. Every answer counted here was judged
by the published contract (\`docs/openapi.json\`), every status of which was seen. Failures that tests inject (5xx) are left out. Written by \`npm test\`; a run that shows something else fails.

*Official client* is the npm package \`cloudflare\`, unmodified, with the credentials named. *Probed* means requests
of the tests' own. *Unproven* means neither.

| operation | route | of | evidence | statuses seen |
| --- | --- | --- | --- | --- |
${rows.join("\n")}
`;
}
