/**
 * A PostgreSQL for the tests: each test process that asks for one has its own. `DATABASE_URL` names another
 * database to use instead, in which its user may create schemas.
 */

import { randomBytes } from "node:crypto";
import { onTestFinished } from "vitest";
import { administer, PostgresServer } from "./postgres-server.ts";

let shared: Promise<PostgresServer> | undefined;

/**
 * The address of a database of the running test's own, which is empty. It is one schema of a larger one:
 * made in a tenth of the time.
 */
export async function freshDatabase(): Promise<string> {
  const given = process.env["DATABASE_URL"];
  shared ??= given ? undefined : PostgresServer.start({ fsync: false });
  const url = given ?? (await shared)?.url() ?? "";
  const name = `test_${randomBytes(6).toString("hex")}`;
  await administer(url, [`CREATE SCHEMA ${name}`]);
  // What is on the tests' own server goes with it.
  if (given)
    onTestFinished(async () => {
      await administer(url, [`DROP SCHEMA ${name} CASCADE`]);
    });
  const own = new URL(url);
  own.searchParams.set("options", `-c search_path=${name}`);
  return own.href.replaceAll("+", "%20");
}
