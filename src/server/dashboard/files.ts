/** The dashboard's files, as `npm run build:web` leaves them: each as it is, and compressed beside it. */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where the build puts them: `dist/web`, seen from the sources or from `dist/server/dashboard`. */
const fromHere = import.meta.url.endsWith(".ts") ? "../../../dist/web" : "../../web";
export const builtFolder = fileURLToPath(new URL(fromHere, import.meta.url));

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** In the order in which they are preferred. */
const encodings = [
  { name: "br", ending: ".br" },
  { name: "gzip", ending: ".gz" },
] as const;

/** What the build names its files: no path, nothing hidden. */
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

export interface SentFile {
  readonly type: string;
  readonly body: Buffer;
  readonly encoding: string | undefined;
}

export class DashboardFiles {
  readonly #folder: string;
  /** Files named by their content, which never change: each form of each that was asked for. */
  readonly #kept = new Map<string, Buffer>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** May be built, or removed, while the server runs. */
  get built(): boolean {
    return existsSync(join(this.#folder, "index.html"));
  }

  /** The one page, in which every client route begins. `accepted` is the request's `accept-encoding`. */
  page(accepted: string | undefined): Promise<SentFile | undefined> {
    return this.#find("index.html", accepted, (file) => readFile(file));
  }

  /** What the page loads. */
  async asset(name: string, accepted: string | undefined): Promise<SentFile | undefined> {
    if (!NAME.test(name) || types[extname(name)] === undefined) return undefined;
    return this.#find(join("assets", name), accepted, (file) => this.#keep(file));
  }

  async #find(
    name: string,
    accepted: string | undefined,
    read: (file: string) => Promise<Buffer>,
  ): Promise<SentFile | undefined> {
    const file = join(this.#folder, name);
    const type = types[extname(name)] ?? "";
    const wanted = encodings.find(({ name: encoding }) => takes(accepted, encoding));
    try {
      return { type, body: await read(file + (wanted?.ending ?? "")), encoding: wanted?.name };
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    }
  }

  async #keep(file: string): Promise<Buffer> {
    const known = this.#kept.get(file);
    if (known) return known;
    const body = await readFile(file);
    this.#kept.set(file, body);
    return body;
  }
}

/** Does an `accept-encoding` name this one, and not with weight 0? */
function takes(accepted: string | undefined, encoding: string): boolean {
  const parts =
    accepted?.split(",").map((part) =>
      part
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/),
    ) ?? [];
  return parts.some(([name, weight]) => name === encoding && !/^q=0(?:\.0*)?$/.test(weight ?? ""));
}
