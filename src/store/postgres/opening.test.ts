/** A database is brought up to date, or refused with a sentence for the operator. */

import { describe, expect, onTestFinished, test } from "vitest";
import { freshDatabase } from "../../../test/harness/postgres.ts";
import { administer, PostgresServer } from "../../../test/harness/postgres-server.ts";
import { makeSmallWorld } from "../../../test/harness/worlds.ts";
import { ConfigError } from "../config-error.ts";
import { StoreRefused } from "../store.ts";
import { migrate, PostgresStore } from "./postgres-store.ts";
import { SCHEMA_VERSION } from "./schema.ts";

async function open(url: string): Promise<PostgresStore> {
  const store = await PostgresStore.open(url);
  onTestFinished(() => store.close());
  return store;
}

/** The sentence with which a database is refused. */
async function refusalOf(url: string): Promise<string> {
  const error: unknown = await PostgresStore.open(url).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof StoreRefused || error instanceof ConfigError)) throw error;
  const password = decodeURIComponent(URL.canParse(url) ? new URL(url).password : "");
  if (password !== "") expect(error.message).not.toContain(password);
  return error.message;
}

function changed(url: string, change: (url: URL) => void): string {
  const other = new URL(url);
  change(other);
  return other.href;
}

describe("an empty database", () => {
  test("gets its tables once, also if six servers open it at once, and keeps what is in it", async () => {
    const url = await freshDatabase();
    const [first, ...others] = await Promise.all(Array.from({ length: 6 }, () => open(url)));
    if (!first) throw new Error("There is no store.");
    expect(others).toHaveLength(5);
    await first.replace(makeSmallWorld());
    await Promise.all([migrate(url), open(url)]);
    expect(await first.states()).toHaveLength(3);
    const [versions] = await administer(url, ["SELECT version FROM patchbay_schema"]);
    expect(versions).toEqual([{ version: SCHEMA_VERSION }]);
  });

  test("gets them by migrate alone, too", async () => {
    const url = await freshDatabase();
    await migrate(url);
    const [states] = await administer(url, ["SELECT * FROM state"]);
    expect(states).toEqual([]);
  });
});

describe("a database of the schema before", () => {
  test("gets what is new beside what is in it, also if several servers open it at once", async () => {
    const url = await freshDatabase();
    const before = await open(url);
    await before.replace(makeSmallWorld());
    const [states] = await administer(url, [
      "SELECT * FROM state ORDER BY id",
      "DROP TABLE health_name, health_edge, health_watched, health_minute, health_transition",
      "UPDATE patchbay_schema SET version = 1",
    ]);
    await Promise.all([open(url), open(url), migrate(url)]);
    const [versions, after, ...empty] = await administer(url, [
      "SELECT version FROM patchbay_schema",
      "SELECT * FROM state ORDER BY id",
      ...["name", "edge", "watched", "minute", "transition"].map((what) => `SELECT * FROM health_${what}`),
    ]);
    expect([versions, after]).toEqual([[{ version: SCHEMA_VERSION }], states]);
    expect(empty).toEqual([[], [], [], [], []]);
  });
});

describe("a database is refused", () => {
  test("if a newer version wrote it", async () => {
    const url = await freshDatabase();
    await migrate(url);
    await administer(url, [`UPDATE patchbay_schema SET version = ${SCHEMA_VERSION + 1}`]);
    const { host, pathname } = new URL(url);
    expect(await refusalOf(url)).toBe(
      `The database ${host}${pathname} was written by a newer Patchbay (schema ${SCHEMA_VERSION + 1}; this one knows ${SCHEMA_VERSION}). Use that version, or another database.`,
    );
  });

  test("if it holds somebody else's tables of the same names, which stay as they are", async () => {
    const url = await freshDatabase();
    await administer(url, ["CREATE TABLE event (mine text)", "INSERT INTO event VALUES ('here')"]);
    expect(await refusalOf(url)).toContain("it holds tables of the same names that are not Patchbay's.");
    const [rows] = await administer(url, ["SELECT * FROM event"]);
    expect(rows).toEqual([{ mine: "here" }]);
    await administer(url, ["DROP TABLE event"]);
    await open(url);
  });

  test("if acknowledged changes could be lost in it", async () => {
    const url = changed(await freshDatabase(), (own) => {
      const options = own.searchParams.get("options");
      own.searchParams.set("options", `${options} -c synchronous_commit=off`);
    });
    expect(await refusalOf(url.replaceAll("+", "%20"))).toContain("synchronous_commit is off");
  });

  test("if it is a standby, which knows less than was acknowledged", async () => {
    const database = await freshDatabase();
    await migrate(database);
    const url = changed(database, (own) => {
      const options = own.searchParams.get("options");
      own.searchParams.set("options", `${options} -c default_transaction_read_only=on`);
    });
    expect(await refusalOf(url.replaceAll("+", "%20"))).toContain("it can only be read: it is a standby.");
  });

  test.each([
    ["nonsense", "The database's address must have the form postgres://user:password@host:port/name"],
    ["mysql://a:sesame@127.0.0.1/x", "The database's address must have the form postgres://"],
    [
      "postgres://a:sesame@127.0.0.1:1/x",
      "The database 127.0.0.1:1/x cannot be used: nothing listens there.",
    ],
    ["postgres://a:sesame@name.invalid/x", "The database name.invalid:5432/x cannot be used: "],
  ])("if its address is wrong: %s", async (url, sentence) => {
    expect(await refusalOf(url)).toContain(sentence);
  });
});

describe("a server of its own", () => {
  test("is refused with what to mend", async () => {
    const server = await PostgresServer.start({ fsync: false });
    onTestFinished(() => server.stop());
    const url = server.url();
    const wrong = changed(url, (own) => {
      own.password = "open%20sesame";
    });
    expect(await refusalOf(wrong)).toContain("user or password is wrong. Mend the address.");
    expect(await refusalOf(server.url("nowhere"))).toContain("there is no such database.");
    await administer(server.url("postgres", "postgres"), [
      "CREATE DATABASE latin ENCODING 'SQL_ASCII' TEMPLATE template0",
      "CREATE DATABASE closed TEMPLATE template0",
    ]);
    expect(await refusalOf(server.url("latin"))).toContain(
      "keeps text as SQL_ASCII. Make one with ENCODING 'UTF8'.",
    );
    expect(await refusalOf(server.url("closed"))).toContain("the user may not do that.");
  });
});
