import { inflateSync } from "node:zlib";
import { PDFArray, PDFDocument, PDFName, PDFRawStream, PDFRef } from "pdf-lib";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { direct, PORTS, ports, slots } from "../harness/cni-world.ts";
import { demo, noteEvidence, OWN, startTestServer, type TestServer } from "../harness/server.ts";
import { untouched, verdict } from "../harness/standing.ts";

let server: TestServer;
const clock = { now: () => Date.UTC(2026, 1, 3, 4, 5), timestamp: () => "2026-02-03T04:05:00.000000Z" };
beforeAll(async () => {
  server = await startTestServer({}, { clock });
});
beforeEach(() => server.reset());
afterAll(() => server.close());

/** The lines of a letter, each with its distance from the foot of the page in points. */
async function read(path: string): Promise<{ lines: string[]; lowest: number; headers: Headers }> {
  const response = await fetch(server.url + path, { headers: { authorization: `Bearer ${demo.token}` } });
  expect(response.status).toBe(200);
  noteEvidence("GET", server.url + path, response.status, "probe");
  const bytes = new Uint8Array(await response.arrayBuffer());
  expect(response.headers.get("content-length")).toBe(String(bytes.length));
  const document = await PDFDocument.load(bytes);
  expect(document.getPageCount()).toBe(1);
  const contents = document.getPage(0).node.get(PDFName.of("Contents"));
  const streams = contents instanceof PDFArray ? contents.asArray() : [contents];
  const text = streams
    .map((item) => (item instanceof PDFRef ? document.context.lookup(item) : item))
    .map((stream) => (stream instanceof PDFRawStream ? inflateSync(stream.contents).toString("latin1") : ""))
    .join("\n");
  const lines = [...text.matchAll(/<([0-9A-F]*)> Tj/g)].map(([, hex = ""]) =>
    new TextDecoder("windows-1252").decode(Buffer.from(hex, "hex")),
  );
  const heights = [...text.matchAll(/1 0 0 1 [\d.]+ (-?[\d.]+) Tm/g)].map(([, y]) => Number(y));
  expect(heights).toHaveLength(lines.length);
  return { lines, lowest: Math.min(...heights), headers: response.headers };
}

test("the letter says who may have which port of which building connected, and until when", async () => {
  const { lines, headers } = await read(`${PORTS}/${ports.sin}/loa`);
  expect(headers.get("content-type")).toBe("application/pdf");
  expect(headers.get("content-disposition")).toBe(`inline; filename="loa-${ports.sin}.pdf"`);
  expect(lines.slice(0, 2)).toEqual([
    "Letter of Authorization",
    "For the facility operator of Demonstration Singapore",
  ]);
  expect(lines.join(" ")).toContain("authorizes Demonstration, or whoever acts on its behalf, to order");
  const rows = [
    ["Name", "Demonstration"],
    ["Account", demo.account],
    ["Name", "Demonstration Singapore"],
    ["Address", "2 Example Avenue"],
    ["", "Singapore 408600"],
    ["Interconnect", ports.sin],
    ["Slot", slots.taken],
    ["Site", "SIN"],
    ["Speed", "10G"],
    ["Provider's device", "ccr01.sin"],
    ["Date of issue", "2026-02-03"],
    ["To be connected by", "2026-05-04"],
  ];
  for (const [name, value] of rows) {
    const at = lines.findIndex((line, index) => line === name && lines[index + 1] === value);
    expect(at, `${name}: ${value}`).toBeGreaterThan(0);
  }
  expect(lines).toContain("Signature");
});

test("the customer's name is the account's, or the one that is asked for", async () => {
  const standard = await server.ask("GET", `${PORTS}/${ports.sin}/loa/default`);
  expect(standard.body).toEqual({ name: "Demonstration" });
  for (const name of ["Société Générale – “Réseau”", "x".repeat(200), " Smith & Sons (100%) "]) {
    const { lines } = await read(`${PORTS}/${ports.sin}/loa?name=${encodeURIComponent(name)}`);
    const at = lines.indexOf("Customer");
    expect(lines.slice(at + 2, lines.indexOf("Account")).join("")).toBe(name.trim());
  }
  const { lines } = await read(`${PORTS}/${ports.sin}/loa?name=`);
  expect(lines).toContain("Demonstration");
});

test.each([
  ["x".repeat(201), "990011"],
  ["a\nb", "990011"],
  ["   ", "990011"],
  ["株式会社", "990083"],
  ["💥", "990083"],
])("the name %j is refused", async (name, code) => {
  const path = `${PORTS}/${ports.sin}/loa?name=${encodeURIComponent(name)}`;
  expect(verdict(await untouched(server, () => server.ask("GET", path)))).toBe(`400 ${code}`);
});

test("it is one page, whatever there is to say", async () => {
  const wide = "W".repeat(100);
  const facility = { name: wide, address: Array.from({ length: 6 }, () => wide) };
  await server.ask("PUT", `${OWN}/slots/${slots.ord}`, { body: { facility, ccr_device_name: wide } });
  const port = await server.ask("POST", PORTS, { body: direct(slots.ord) });
  const { lowest } = await read(`${PORTS}/${port.body.name}/loa?name=${"W".repeat(200)}`);
  expect(lowest).toBeGreaterThan(20);
});

test("a building that the typeface cannot name is told, for an administrator to write otherwise", async () => {
  const facility = { name: "大手町" };
  await server.ask("PUT", `${OWN}/slots/${slots.taken}`, { body: { facility } });
  const reply = await server.ask("GET", `${PORTS}/${ports.sin}/loa`);
  expect(verdict(reply)).toBe("400 990083");
  expect(reply.body.errors[0].message).toContain('The facility\'s name is "大手町"');
});

test("a partner's port has no cable, and no letter", async () => {
  for (const path of ["loa", "loa/default"]) {
    expect(verdict(await server.ask("GET", `${PORTS}/${ports.gcp}/${path}`))).toBe("400 990082");
  }
});
