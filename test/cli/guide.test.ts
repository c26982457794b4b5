import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { doubleWorld, startCloudflareDouble } from "../harness/cloudflare-double.ts";
import { BIN } from "../harness/command.ts";
import { Operator } from "../harness/operator.ts";
import { ACCOUNT, OWN, startTestServer } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";
import { idOf } from "../harness/worlds.ts";

const guide = join(import.meta.dirname, "../../docs/guide");
const files = readdirSync(guide, { recursive: true, encoding: "utf8" }).filter((name) =>
  /\.(md|yml)$/.test(name),
);
const read = (name: string) => readFileSync(join(guide, name), "utf8");

/** `patchbay …` wherever it stands, up to what ends it in a shell, in Markdown or in a table. */
function commandsIn(text: string): string[] {
  const joined = text.replace(/(?<!`)`(?!`)[^`]*`(?!`)/g, (span) => span.replace(/\s+/g, " "));
  return [...joined.matchAll(/\bpatchbay ([a-z]+)([^`\n|>;&]*)/g)].map(([, name, rest]) =>
    `${name}${rest}`.trim(),
  );
}

const shown = files.flatMap((file) => commandsIn(read(file)).map((command) => ({ file, command })));
const NAMES = [...new Set(shown.map(({ command }) => command.split(" ")[0] ?? ""))];

describe("the guides", () => {
  test("show commands and options that there are", async () => {
    expect(files).toContain("pipeline/github-actions.yml");
    expect(NAMES).toEqual(
      expect.arrayContaining(["login", "clone", "plan", "apply", "confirm", "revert", "drift"]),
    );
    const operator = new Operator();
    const help = new Map<string, string>();
    for (const name of NAMES) help.set(name, (await operator.run([name, "--help"])).stdout);
    const wrong = shown.filter(({ command }) => {
      const [name = "", ...words] = command.split(/\s+/);
      const told = help.get(name) ?? "";
      if (!told.startsWith(`Usage: patchbay ${name} `)) return true;
      const options = words.flatMap((word) => /^(--?[a-z][a-z-]*)/.exec(word)?.[1] ?? []);
      return options.some((option) => !new RegExp(`(^|[ ,])${option}[ ,\n]`, "m").test(told));
    });
    expect(wrong).toEqual([]);
  });

  test.each(files)("%s links to what is there", (file) => {
    for (const [, target = ""] of read(file).matchAll(/\]\(([^)#:]+)\)/g)) {
      expect(existsSync(join(guide, dirname(file), target)), target).toBe(true);
    }
  });

  test.each(files.filter((name) => name.endsWith(".yml")))("%s is YAML", (file) => {
    expect(Object.keys(parse(read(file))).length).toBeGreaterThan(1);
  });
});

describe("the pipelines' own lines, run by a shell,", () => {
  const github = parse(read("pipeline/github-actions.yml")).jobs;
  const gitlab = parse(read("pipeline/gitlab-ci.yml"));
  const step = (job: { steps: { name?: string; run?: string }[] }, name: string) =>
    String(job.steps.find((one) => one.name === name)?.run);
  const pipelines = {
    "GitHub Actions": {
      plan: `${step(github.plan, "Lint")}\n${step(github.plan, "Plan")}`,
      apply: step(github.apply, "Apply"),
      drift: step(github.drift, "Is the account what the file says?"),
    },
    "GitLab CI": {
      plan: gitlab.plan.script.join("\n"),
      apply: gitlab.apply.script.join("\n"),
      drift: gitlab.drift.script.join("\n"),
    },
  };

  test.each(Object.entries(pipelines))(
    "%s plans, applies, and sees what was done by hand",
    async (_, lines) => {
      await using double = await startCloudflareDouble();
      const work = temporaryDirectory();
      const file = join(work, "interconnects.yaml");
      writeFileSync(join(work, "patchbay"), `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`, {
        mode: 0o755,
      });
      const shell = async (script: string) => {
        const child = spawn("bash", ["-eo", "pipefail", "-c", script], {
          cwd: work,
          stdio: "ignore",
          env: {
            PATH: `${work}:${process.env["PATH"]}`,
            HOME: work,
            CLOUDFLARE_API_TOKEN: double.token,
            CLOUDFLARE_ACCOUNT_ID: double.account,
            CLOUDFLARE_BASE_URL: double.baseUrl,
            GITHUB_STEP_SUMMARY: join(work, "summary.md"),
            REASON: "of the test",
          },
        });
        const [code] = await once(child, "close");
        return code;
      };
      writeFileSync(file, "interconnects:\n  pni_ord:\n    mtu: 1400\n");
      expect(await shell(lines.plan)).toBe(0);
      expect(readFileSync(join(work, "plan.md"), "utf8")).toContain(
        "| `pni_ord` | `mtu` | `1476` | `1400` |",
      );
      expect(double.interconnects()[0]?.mtu).toBe(1476);
      expect(await shell(lines.drift)).toBe(2);
      expect(await shell(lines.apply)).toBe(0);
      expect(double.interconnects()[0]?.mtu).toBe(1400);
      expect(existsSync(join(work, "undo.plan"))).toBe(true);
      expect(await shell(lines.drift)).toBe(0);
      writeFileSync(file, "interconnects:\n  pni_ord:\n    mtu: 1\n");
      expect(await shell(lines.plan)).toBe(1);
      expect(await shell(lines.apply)).toBe(1);
      expect(double.interconnects()[0]?.mtu).toBe(1400);
    },
  );
});

/** Two hundred interconnects at Cloudflare's own. */
const many = Array.from({ length: 200 }, (_, number) => {
  const [ord] = doubleWorld;
  if (!ord) throw new Error("The double has an interconnect.");
  const { interface_address6: _six, virtual_port_reservation_id: _port, ...rest } = ord;
  const interface_address = `10.${Math.floor(number / 128)}.${number % 128}.0/31`;
  return { ...rest, id: idOf(number), name: `pni_${number}`, interface_address };
});

describe("the guide to changing 200 interconnects, step by step,", () => {
  test("rehearses on a copy and changes Cloudflare in one call", async () => {
    await using production = await startCloudflareDouble({ interconnects: many, routes: [] });
    const operator = new Operator();
    const { home } = operator;
    const run = async (words: string, code = 0, input = "") => {
      const said = await operator.run(words.split(" "), input, {});
      expect({ words, ...said }).toMatchObject({ code });
      return said;
    };
    const login = ({ url }: { url: string }, profile: string, token: string) =>
      run(`login --profile ${profile} --base-url ${url} --account ${ACCOUNT} --token-stdin`, 0, token);
    await login(production, "production", production.token);
    await run("doctor --profile production");

    const seed = join(home, "copy.yaml");
    await run(`clone --from-profile production --to ${seed} --as-profile copy`);
    await using copy = await startTestServer({ seed });
    const token = parse(readFileSync(seed, "utf8")).tokens[0].value;
    await login(copy, "copy", token);
    const drift = "drift --from-profile production --to-profile copy";
    await run(drift);

    const { stdout } = await run("export --profile copy");
    const file = join(home, "interconnects.yaml");
    writeFileSync(file, stdout.replaceAll(/^ {4}mtu: 1476$/gm, "    mtu: 1400"));
    await run(`plan -f ${file} --profile copy`, 2);
    expect((await run(`apply -f ${file} --profile copy --yes`, 1)).stderr).toContain("--force");
    await run(`apply -f ${file} --profile copy --force --yes --confirm-within 5m --reason rehearsal`);
    await run("confirm --profile copy");
    expect((await run("history --profile copy")).stdout).toMatch(/^2 .* rehearsal +200 interconnects: mtu$/m);
    expect((await run("diff 2 --profile copy")).stdout.match(/mtu {2}1476 → 1400/g)).toHaveLength(200);
    expect((await run("blame pni_0 --profile copy")).stdout).toMatch(/^mtu +1400 +2 /m);
    await run(drift, 2);
    await run("revert 2 --profile copy --yes --reason rehearsed");
    await run(drift);
    const { body } = await copy.ask("GET", `${OWN}/changes/4`, { token });
    expect(body.result).toMatchObject({ reverts: 2, reason: "rehearsed" });

    const plan = join(home, "change.plan");
    await run(`plan -f ${file} --profile production --out ${plan}`, 2);
    const before = production.requests.length;
    await run(`apply ${plan} --profile production --force --yes --undo ${join(home, "undo.plan")}`);
    const writes = production.requests
      .slice(before)
      .filter(({ method, query }) => method === "PUT" && !query.size);
    expect(writes).toHaveLength(1);
    expect(new Set(production.interconnects().map(({ mtu }) => mtu))).toEqual(new Set([1400]));
    await run(`plan -f ${file} --profile production`);
    await run(`apply ${join(home, "undo.plan")} --profile production --yes --force`);
    expect(new Set(production.interconnects().map(({ mtu }) => mtu))).toEqual(new Set([1476]));
    // It is asked whether it is a Patchbay, and nothing else of Patchbay's.
    const own = production.requests.filter(({ path }) => path.startsWith("/patchbay"));
    expect(new Set(own.map(({ method, path }) => `${method} ${path}`))).toEqual(
      new Set([`GET ${OWN}/changes`]),
    );
  });
});
