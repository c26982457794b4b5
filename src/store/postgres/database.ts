/** The connections to a database, and what every statement goes through. */

import { type ClientBase, Pool, type PoolClient, type QueryConfig } from "pg";
import { messageOf, NoConnection, Standby } from "./failures.ts";

/** A statement that each connection prepares once. Its name must be its own. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

export type Value = string | number | null | Buffer | readonly string[] | readonly number[];
export type Row = Readonly<Record<string, unknown>>;

/** Asks within one connection, and so within its transaction. */
export type Ask = (statement: Statement | string, ...values: readonly Value[]) => Promise<readonly Row[]>;

export interface DatabaseOptions {
  /** The most connections for statements. Those that hold locks have a few of their own. */
  readonly connections?: number | undefined;
  /** Milliseconds until a connection must be had, and until a statement must be done. */
  readonly connectTimeout?: number | undefined;
  readonly statementTimeout?: number | undefined;
}

const CONNECTIONS = 10;
/** Locks are held by those who need other connections meanwhile, so they must not use up those. */
const LOCKS = 4;
const CONNECT_TIMEOUT = 5_000;
const STATEMENT_TIMEOUT = 10_000;
const LONG = 600_000;
/** How much longer than the server's own timeout an answer is waited for, until the server is taken for dead. */
const SILENCE = 1.5;
/** Milliseconds after which the server ends a transaction in which nothing is asked. Who holds a lock decides meanwhile. */
export const IDLE_IN_TRANSACTION = 4_000;

/** Several rows in one view of the database. */
export const CONSISTENT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

export class Database {
  readonly #pool: Pool;
  readonly #locks: Pool;
  readonly #held = new Set<Held>();

  constructor(url: string, options: DatabaseOptions) {
    const { connections = CONNECTIONS, connectTimeout = CONNECT_TIMEOUT } = options;
    const { statementTimeout = STATEMENT_TIMEOUT } = options;
    const makePool = (max: number) => {
      const pool = new Pool({
        connectionString: url,
        max,
        application_name: "patchbay",
        connectionTimeoutMillis: connectTimeout,
        idleTimeoutMillis: 60_000,
        statement_timeout: statementTimeout,
        query_timeout: statementTimeout * SILENCE,
        idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION,
        keepAlive: true,
        keepAliveInitialDelayMillis: 10_000,
        onConnect: refuseStandby,
      });
      // What ends a connection is told to who uses it; of one that nobody uses, nobody wants to know.
      pool.on("error", () => undefined);
      pool.on("connect", (client) => client.on("error", () => undefined));
      return pool;
    };
    this.#pool = makePool(connections);
    this.#locks = makePool(LOCKS);
  }

  /** One statement, which is a transaction of its own. */
  async ask(statement: Statement | string, ...values: readonly Value[]): Promise<readonly Row[]> {
    const client = await connect(this.#pool);
    return within(client, undefined, (ask) => ask(statement, ...values));
  }

  /**
   * Several statements in one transaction, begun as `begin` says. What `work` throws takes it back;
   * a failed COMMIT is told by a `CommitFailed`. A `long` one, for what is done once in a while, has more
   * time for each statement.
   */
  async transaction<T>(begin: string, work: (ask: Ask) => Promise<T>, long = false): Promise<T> {
    const client = await connect(this.#pool);
    return within(client, long ? LONG : undefined, async (ask) => {
      await ask(begin);
      if (long) await ask(`SET LOCAL statement_timeout = ${LONG}`);
      if (long) await ask(`SET LOCAL idle_in_transaction_session_timeout = ${LONG}`);
      const result = await work(ask);
      await ask("COMMIT").catch((error: unknown) => {
        throw new CommitFailed(messageOf(error), { cause: error });
      });
      return result;
    });
  }

  /** A connection for a transaction that waits for others. Whoever takes it must let it go. */
  async hold(): Promise<Held> {
    const held: Held = new Held(await connect(this.#locks), () => this.#held.delete(held));
    this.#held.add(held);
    return held;
  }

  /** What is held is lost. */
  async close(): Promise<void> {
    for (const held of this.#held) held.drop();
    await Promise.all([this.#pool.end(), this.#locks.end()]);
  }
}

/**
 * A name may lead to another server after a failover. What is a standby stays one for as long as a connection
 * to it lasts, so it is asked once.
 */
async function refuseStandby(client: ClientBase): Promise<void> {
  const { rows } = await client.query<Row>("SHOW transaction_read_only");
  if (rows[0]?.["transaction_read_only"] === "on") throw new Standby("The server is a standby.");
}

/** It is open whether the transaction was committed. The cause is what the database said. */
export class CommitFailed extends Error {}

/** A connection that stays with who holds it. */
export class Held {
  #client: PoolClient | undefined;
  readonly #gone: () => void;

  constructor(client: PoolClient, gone: () => void) {
    this.#client = client;
    this.#gone = gone;
  }

  /** Asks; what fails lets the connection go, and its transaction with it. */
  async ask(statement: Statement | string, ...values: readonly Value[]): Promise<readonly Row[]> {
    const client = this.#client;
    if (!client) throw new NoConnection("The connection was let go.");
    try {
      return await send(client, statement, values);
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  /** Lets the connection go, in the state in which it was taken. */
  giveBack(): void {
    this.#end(false);
  }

  /** Closes the connection, which takes back what was not committed. */
  drop(): void {
    this.#end(true);
  }

  #end(close: boolean): void {
    const client = this.#client;
    this.#client = undefined;
    this.#gone();
    client?.release(close);
  }
}

async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw new NoConnection(messageOf(error), { cause: error });
  }
}

/** A connection that saw an error is never used again, whatever the error was. */
async function within<T>(
  client: PoolClient,
  timeout: number | undefined,
  work: (ask: Ask) => Promise<T>,
): Promise<T> {
  try {
    const result = await work((statement, ...values) => send(client, statement, values, timeout));
    client.release();
    return result;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

async function send(
  client: PoolClient,
  statement: Statement | string,
  values: readonly Value[],
  timeout?: number,
): Promise<readonly Row[]> {
  // Several statements in one text go without values, and unprepared.
  if (typeof statement === "string") return (await client.query<Row>(statement)).rows;
  const query: QueryConfig & { query_timeout?: number } = { ...statement, values: [...values] };
  if (timeout !== undefined) query.query_timeout = timeout * SILENCE;
  return (await client.query<Row>(query)).rows;
}

/**
 * A list of texts as the database takes them in, byte by byte: nothing is quoted here and unquoted there,
 * which for megabytes of JSON takes longer than all the rest.
 */
export function texts(list: readonly string[]): Buffer {
  let size = 20;
  for (const text of list) size += 4 + Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(size);
  const TEXT = 25;
  // An empty list has no dimension.
  const head = list.length === 0 ? [0, 0, TEXT] : [1, 0, TEXT, list.length, 1];
  let at = 0;
  for (const number of head) at = bytes.writeInt32BE(number, at);
  for (const text of list) {
    const length = bytes.write(text, at + 4);
    bytes.writeInt32BE(length, at);
    at += 4 + length;
  }
  return bytes.subarray(0, at);
}
