import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const TEXTS = /\.(?:js|css|html|svg)$/;

/**
 * Leaves beside each text what is sent of it. Browsers take Brotli over TLS and from this machine alone, so there is
 * gzip too.
 */
function precompressed(): Plugin {
  let folder = "";
  return {
    name: "precompressed",
    apply: "build",
    configResolved(config) {
      folder = config.build.outDir;
    },
    async closeBundle() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      const files = entries
        .filter((entry) => entry.isFile() && TEXTS.test(entry.name))
        .map((entry) => join(entry.parentPath, entry.name));
      await Promise.all(
        files.map(async (file) => {
          const text = await readFile(file);
          const params = {
            [constants.BROTLI_PARAM_QUALITY]: 11,
            [constants.BROTLI_PARAM_SIZE_HINT]: text.length,
          };
          await writeFile(`${file}.br`, await promisify(brotliCompress)(text, { params }));
          await writeFile(`${file}.gz`, await promisify(gzip)(text, { level: 9 }));
        }),
      );
    },
  };
}

/**
 * A script of three lines that runs before anything is painted and chooses the theme, so that a dark page never begins
 * with a white flash. What is a module comes too late for that.
 */
function themeFirst(): Plugin {
  let file = "";
  return {
    name: "theme-first",
    apply: "build",
    async buildStart() {
      const source = await readFile(join(import.meta.dirname, "src/look/first-theme.js"));
      file = this.emitFile({ type: "asset", name: "first-theme.js", source });
    },
    transformIndexHtml: {
      order: "post",
      handler: (_html, { bundle = {} }) => {
        const built = Object.values(bundle).find(({ fileName }) => fileName.includes("first-theme"));
        if (!built) throw new Error(`first-theme.js (${file}) is not in the bundle`);
        return [{ tag: "script", attrs: { src: `/${built.fileName}` }, injectTo: "head-prepend" }];
      },
    },
  };
}

/**
 * The policy allows no code that is made while running, and whoever only tries has that in the console. Schemas are
 * walked instead.
 */
function withoutEvaluation(): Plugin {
  return {
    name: "without-evaluation",
    enforce: "pre",
    load: (id) =>
      /typebox\/build\/system\/environment\/evaluate\.mjs$/.test(id)
        ? 'export const CanEvaluate = () => false;\nexport function Evaluate() { throw new Error("Not in a browser."); }\n'
        : undefined,
  };
}

export default defineConfig({
  plugins: [react({ jsxImportSource: "#safe-text" }), withoutEvaluation(), precompressed(), themeFirst()],
  build: {
    target: "es2024",
    outDir: "../dist/web",
    emptyOutDir: true,
    // The content-security policy allows no `data:`.
    assetsInlineLimit: 0,
    // What it would do inline, all browsers of the target do themselves.
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1000,
  },
  // `npx vite` in this folder shows changes at once, with the API of a server that runs beside it.
  server: { proxy: { "/patchbay": "http://127.0.0.1:8787", "/client": "http://127.0.0.1:8787" } },
});
