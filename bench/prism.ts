/**
 * The mock that the vendor's own clients are tested with, serving the document that Patchbay publishes, or one of
 * its interconnect operations alone. Installed by the benchmark alone, into a folder of its own.
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { operations } from "../src/contract/operations.ts";

const directory = join(import.meta.dirname, "../.toolchain/bench");

/** What Prism is given: all that is published, or as little as will do. */
export type Document = "published" | "minimal";

function textOf(document: Document): string {
  return document === "published"
    ? readFileSync(join(import.meta.dirname, "../docs/openapi.json"), "utf8")
    : JSON.stringify(minimal());
}

/** A minimal OpenAPI description of the interconnect operations. */
function minimal(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const [operationId, operation] of Object.entries(operations)) {
    if (!operation.path.includes("cf_interconnects")) continue;
    const path = operation.path.replaceAll(/:(\w+)/g, "{$1}");
    const names = [...operation.path.matchAll(/:(\w+)/g)].map(([, name]) => name);
    const parameters = names.map((name) => ({
      name,
      in: "path",
      required: true,
      schema: { type: "string", maxLength: 32 },
    }));
    const body =
      "body" in operation
        ? { requestBody: { content: { "application/json": { schema: operation.body } } } }
        : {};
    const answer = { description: "", content: { "application/json": { schema: operation.answer } } };
    paths[path] ??= {};
    paths[path][operation.method.toLowerCase()] = {
      operationId,
      parameters,
      ...body,
      responses: { 200: answer },
    };
  }
  return { openapi: "3.1.0", info: { title: "interconnects", version: "1" }, paths };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}

export class Prism {
  readonly port: number;
  readonly #process: ChildProcess;

  /** Installs it if need be and starts it; `undefined` if it cannot be had. */
  static async start(document: Document): Promise<Prism | undefined> {
    const command = join(directory, "node_modules/@stoplight/prism-cli/dist/index.js");
    if (!existsSync(command)) {
      mkdirSync(directory, { recursive: true });
      const install = [
        "install",
        "--prefix",
        directory,
        "--no-save",
        "--no-audit",
        "--no-fund",
        "@stoplight/prism-cli@5",
      ];
      if (spawnSync("npm", install, { stdio: "ignore" }).status !== 0) return undefined;
    }
    // Prism follows the file, so each has its own.
    const file = join(directory, `${document}.json`);
    writeFileSync(file, textOf(document));
    const port = await freePort();
    const child = spawn(
      process.execPath,
      [command, "mock", "-p", String(port), "-h", "127.0.0.1", "-v", "error", file],
      {
        stdio: "ignore",
      },
    );
    spawnSync("taskset", ["-a", "-p", "-c", "0", String(child.pid)]);
    for (let tries = 0; tries < 100; tries++) {
      const answered = await fetch(`http://127.0.0.1:${port}/`).then(
        () => true,
        () => false,
      );
      if (answered) return new Prism(child, port);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    child.kill();
    return undefined;
  }

  private constructor(child: ChildProcess, port: number) {
    this.#process = child;
    this.port = port;
  }

  stop(): void {
    this.#process.kill();
  }
}
