import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** A file that somebody might write, and the rule that refuses it; no rule if it is welcome. */
interface Planted {
  readonly file: string;
  readonly source: string;
  readonly refusedBy: string | undefined;
}

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const ROOMS = ["contract", "account", "store", "server", "admin", "cli", "edge", "file"] as const;
type Room = (typeof ROOMS)[number];

/** The house, as DESIGN draws it: which other rooms each room may import. */
const MAY_IMPORT: Readonly<Record<Room, readonly Room[]>> = {
  contract: [],
  account: ["contract"],
  store: ["contract", "account"],
  server: ["contract", "account", "store"],
  admin: ["contract", "account", "store"],
  cli: ["contract", "account", "file"],
  edge: ["contract", "account"],
  file: ["contract", "account"],
};
const PURE: readonly Room[] = ["contract", "account", "file"];

const IMPORTS = "lint/style/noRestrictedImports";
const GLOBALS = "lint/style/noRestrictedGlobals";
/** A rule of our own, in lint/. */
const PLUGIN = "plugin";

const between = ROOMS.flatMap((from) =>
  ROOMS.filter((to) => to !== from).flatMap((to) => {
    const refusedBy = MAY_IMPORT[from].includes(to) ? undefined : IMPORTS;
    return [
      { file: `src/${from}/imports-${to}.ts`, source: imports(`../${to}/thing.ts`), refusedBy },
      { file: `src/${from}/corridor/imports-${to}.ts`, source: imports(`../../${to}/thing.ts`), refusedBy },
    ];
  }),
);

const entrances = ROOMS.flatMap((from) =>
  ["../main.ts", "../index.ts"].map((entrance) => ({
    file: `src/${from}/imports-${entrance.slice(3)}`,
    source: imports(entrance),
    refusedBy: IMPORTS,
  })),
);

const within = ROOMS.map((room) => ({
  file: `src/${room}/corridor/imports-own-room.ts`,
  source: `${imports("../thing.ts")}${imports("./neighbour.ts")}`,
  refusedBy: undefined,
}));

const fromAbove = ["main", "index"].map((entrance) => ({
  file: `src/${entrance}.ts`,
  source: ROOMS.map((room) => imports(`./${room}/thing.ts`)).join(""),
  refusedBy: undefined,
}));

const dashboard = [
  ...ROOMS.map((room) => ({
    file: `web/src/imports-${room}.ts`,
    source: imports(`../../src/${room}/thing.ts`),
    refusedBy: PURE.includes(room) ? undefined : IMPORTS,
  })),
  ...ROOMS.map((room) => ({
    file: `src/${room}/imports-web.ts`,
    source: imports("../../web/src/thing.ts"),
    refusedBy: IMPORTS,
  })),
  ...["main", "index"].map((entrance) => ({
    file: `web/src/pages/imports-${entrance}.ts`,
    source: imports(`../../../src/${entrance}.ts`),
    refusedBy: IMPORTS,
  })),
  { file: "web/src/imports-node.ts", source: imports("node:fs"), refusedBy: IMPORTS },
  { file: "web/src/pages/imports-own-room.ts", source: imports("../thing.ts"), refusedBy: undefined },
  { file: "web/src/imports-package.ts", source: imports("react"), refusedBy: undefined },
];

const waysToImport = Object.entries({
  "for its types":
    'import type { Thing } from "../server/thing.ts";\nexport const thing: Thing | undefined = undefined;\n',
  "to export again": 'export { thing } from "../server/thing.ts";\n',
  "all of it again": 'export * from "../server/thing.ts";\n',
  "for its effects": 'import "../server/thing.ts";\n',
  "when it is needed": 'export const thing = await import("../server/thing.ts");\n',
  "by a detour": imports("../../src/server/thing.ts"),
  "by another detour": imports("./../server/thing.ts"),
  "in passing": 'export type Thing = import("../server/thing.ts").Thing;\n',
}).map(([how, source]) => ({
  file: `src/store/imports-${how.replaceAll(" ", "-")}.ts`,
  source,
  refusedBy: how === "in passing" ? PLUGIN : IMPORTS,
}));

const modules = ROOMS.flatMap((room) =>
  ["node:fs", "node:net", "node:crypto", "node:process", "node:sqlite", "fastify", "pino"].map((name) => ({
    file: `src/${room}/imports-${name.replace(":", "-")}.ts`,
    source: imports(name),
    refusedBy: PURE.includes(room) ? IMPORTS : undefined,
  })),
);

const packages = [
  { file: "src/contract/imports-typebox.ts", source: imports("typebox"), refusedBy: undefined },
  { file: "src/contract/imports-typebox-part.ts", source: imports("typebox/compile"), refusedBy: undefined },
  {
    file: "src/contract/imports-levenshtein.ts",
    source: imports("fastest-levenshtein"),
    refusedBy: undefined,
  },
  { file: "src/account/imports-typebox.ts", source: imports("typebox"), refusedBy: IMPORTS },
  { file: "src/file/imports-yaml.ts", source: imports("yaml"), refusedBy: undefined },
  { file: "src/account/imports-yaml.ts", source: imports("yaml"), refusedBy: IMPORTS },
  { file: "src/account/imports-levenshtein.ts", source: imports("fastest-levenshtein"), refusedBy: IMPORTS },
];

const globals = [
  ["process", "export const value = process.env;\n"],
  ["global-this", "export const value = globalThis.process;\n"],
  ["crypto", "export const value = crypto.randomUUID();\n"],
  ["fetch", 'export const value = fetch("/");\n'],
  ["set-timeout", "setTimeout(() => undefined, 1);\n"],
  ["set-interval", "setInterval(() => undefined, 1);\n"],
  ["set-immediate", "setImmediate(() => undefined);\n"],
  ["performance", "export const value = performance.now();\n"],
  ["console", 'console.log("value");\n'],
  ["buffer", 'export const value = Buffer.from("value");\n'],
  ["date-now", "export const value = Date.now();\n", PLUGIN],
  ["date-now-by-name", "export const value = Date.now;\n", PLUGIN],
  ["new-date", "export const value = new Date();\n", PLUGIN],
  ["random", "export const value = Math.random();\n", PLUGIN],
  ["import-meta", "export const value = import.meta.url;\n", PLUGIN],
] as const;

const purity = globals.flatMap(([name, source, rule]) => [
  ...PURE.map((room) => ({ file: `src/${room}/uses-${name}.ts`, source, refusedBy: rule ?? GLOBALS })),
  { file: `src/account/corridor/uses-${name}.ts`, source, refusedBy: rule ?? GLOBALS },
  { file: `src/account/uses-${name}.test.ts`, source, refusedBy: undefined },
  { file: `src/server/uses-${name}.ts`, source, refusedBy: undefined },
]);

const pure = PURE.map((room) => ({
  file: `src/${room}/uses-what-is-pure.ts`,
  source:
    'export const value = [Date.parse("2026-01-01T00:00:00Z"), new Date(0).toISOString(), Math.max(1, 2)];\n',
  refusedBy: undefined,
}));

const tests = ROOMS.map((room) => ({
  file: `src/${room}/thing.test.ts`,
  source: `${imports("../server/thing.ts")}${imports("node:fs")}`,
  refusedBy: undefined,
}));

const extensions = ["../contract/thing", "../contract/thing.js"].map((from, n) => ({
  file: `src/store/extension-${n}.ts`,
  source: imports(from),
  refusedBy: "lint/correctness/useImportExtensions",
}));

/** A class with a collection, and a loop over it. */
const looping = (collection: string, body: string) => `
export class Things {
  readonly #things = new Map<string, () => Promise<void>>();
  async run(): Promise<void> {
    for (const [, thing] of ${collection}) ${body}
    for (const thing of this.#things.values()) void thing;
  }
}
`;

const loops = [
  {
    file: "src/server/loop-entries.ts",
    source: looping("this.#things.entries()", "await thing();"),
    refusedBy: "plugin",
  },
  {
    file: "src/store/loop-map.ts",
    source: looping("this.#things", "{ await thing(); }"),
    refusedBy: "plugin",
  },
  {
    file: "src/store/loop-copy.ts",
    source: looping("[...this.#things]", "await thing();"),
    refusedBy: undefined,
  },
  {
    file: "src/store/loop-without-await.ts",
    source: looping("this.#things", "void thing;"),
    refusedBy: undefined,
  },
];

/** What must hold, and the files that show it. */
const HOUSE: Readonly<Record<string, readonly Planted[]>> = {
  "a room imports only the rooms below it": between,
  "no room imports the entrances of the house": entrances,
  "a room imports itself, from its corridors too": within,
  "the entrances import any room": fromAbove,
  "the dashboard imports what is pure, and nobody imports the dashboard": dashboard,
  "no way of importing goes over a wall": waysToImport,
  "only rooms with hands import Node's modules and packages": modules,
  "the pure rooms have the packages they need": packages,
  "the pure rooms have no clock, no chance and no machine": purity,
  "the pure rooms may calculate": pure,
  "tests may go through walls": tests,
  "an import names the file that it means": extensions,
  "a loop that awaits runs over a copy": loops,
};

describe("the linter keeps the walls of the house", () => {
  let house: string;
  let refusals: ReadonlyMap<string, readonly string[]>;

  beforeAll(async () => {
    house = await mkdtemp(join(tmpdir(), "patchbay-walls-"));
    for (const part of ["biome.json", "lint", "package.json", "web/package.json", ".gitignore"]) {
      await cp(join(ROOT, part), join(house, part), { recursive: true });
    }
    // What is imported must exist: the rule on extensions looks.
    const things = [...ROOMS.map((room) => `src/${room}`), "web/src"].map((folder) => ({
      file: `${folder}/thing.ts`,
      source: "export const thing = 1;\n",
    }));
    for (const { file, source } of [...things, ...Object.values(HOUSE).flat()]) {
      await mkdir(dirname(join(house, file)), { recursive: true });
      await writeFile(join(house, file), source);
    }
    refusals = await lint(house);
  });

  afterAll(() => rm(house, { recursive: true, force: true }));

  test.each(Object.entries(HOUSE))("%s", (_, planted) => {
    const found = planted.map(({ file }) => [file, refusals.get(file) ?? []]);
    const wanted = planted.map(({ file, refusedBy }) => [file, refusedBy === undefined ? [] : [refusedBy]]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(wanted));
  });

  test("no two planted files take each other's place", () => {
    const files = Object.values(HOUSE).flatMap((planted) => planted.map(({ file }) => file));
    expect(new Set(files).size).toBe(files.length);
  });
});

function imports(from: string): string {
  const name = `from${from.replaceAll(/\W/g, "_")}`;
  return `import * as ${name} from "${from}";\nexport { ${name} };\n`;
}

interface Report {
  readonly diagnostics: readonly {
    readonly category: string;
    readonly location: { readonly path: string };
  }[];
}

/** What the project's linter refuses in a folder: the rules, each once, by file. */
async function lint(folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const biome = join(ROOT, "node_modules/@biomejs/biome/bin/biome");
  const args = [biome, "lint", "--reporter=json", "--max-diagnostics=none", "."];
  const output = await new Promise<string>((resolve) => {
    // Refusals are what is wanted, so the exit code says nothing.
    execFile(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 26 }, (_, stdout) => resolve(stdout));
  });
  const { diagnostics }: Report = JSON.parse(output);
  const byFile = Map.groupBy(diagnostics, ({ location }) => location.path);
  const found = [...byFile].map(
    ([file, all]) => [file, [...new Set(all.map(({ category }) => category))]] as const,
  );
  return new Map(found);
}
