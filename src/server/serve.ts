/** `patchbay serve`: starts a server, says where it is, and stops it when told to. */

import { Away, Conflict, NotCommitted, OutcomeUnknown, StoreRefused, Unreadable } from "../store/store.ts";
import { ConfigError, placeOf, readConfig, type ServerOptions } from "./config.ts";
import { demo } from "./demo.ts";
import { type RunningServer, startServer } from "./patchbay.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
type Signal = (typeof SIGNALS)[number];

/** The part of the process that the command uses. */
export interface Terminal {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  once(signal: Signal, stop: () => void): unknown;
  off(signal: Signal, stop: () => void): unknown;
}

/** Resolves with the exit status once the server has stopped. */
export async function serve(
  options: ServerOptions,
  environment: Readonly<Record<string, string | undefined>>,
  terminal: Terminal,
): Promise<number> {
  try {
    const config = readConfig(options, environment);
    await using server = await startServer(config);
    // A process that reads the greeting may stop the server at once.
    using first = new Stop(terminal);
    terminal.stdout.write(greeting(server, placeOf(config)));
    const ended = await Promise.race([first.signal, server.lost]);
    if (ended instanceof StoreRefused) throw ended;
    // A person who types ctrl-c does not wait for a load balancer, and a second signal ends the delay.
    if (ended === "SIGTERM") {
      using second = new Stop(terminal);
      await Promise.race([server.drain(), second.signal]);
    }
    return 0;
  } catch (error) {
    const sentence = sentenceOf(error);
    if (sentence === undefined) throw error;
    terminal.stderr.write(`${sentence}\n`);
    return 1;
  }
}

/** The message for the operator if the server cannot start; `undefined` for a defect. */
function sentenceOf(error: unknown): string | undefined {
  if (error instanceof ConfigError || error instanceof StoreRefused) return error.message;
  if (error instanceof Away)
    return `The database became unavailable while the server was starting (${error.message}). Start the server again.`;
  if (error instanceof Unreadable)
    return `The database cannot be read (${error.message}). Restore it from a backup.`;
  if (error instanceof NotCommitted || error instanceof OutcomeUnknown || error instanceof Conflict)
    return `The seed data could not be saved (${error.message}). Start the server again.`;
  return undefined;
}

/** The next signal that stops the server. */
class Stop implements Disposable {
  readonly signal: Promise<Signal>;
  readonly #terminal: Terminal;
  readonly #listeners: readonly (readonly [Signal, () => void])[];

  constructor(terminal: Terminal) {
    const { promise, resolve } = Promise.withResolvers<Signal>();
    this.signal = promise;
    this.#terminal = terminal;
    this.#listeners = SIGNALS.map((signal) => {
      const listener = () => {
        this[Symbol.dispose]();
        resolve(signal);
      };
      return [signal, listener] as const;
    });
    for (const [signal, listener] of this.#listeners) terminal.once(signal, listener);
  }

  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners) this.#terminal.off(signal, listener);
  }
}

function greeting(server: RunningServer, place: string): string {
  const lines = [
    "",
    `Patchbay answers at ${server.publicUrl ?? server.url}`,
    ...(server.publicUrl === undefined ? [] : [`  listens at ${server.url}`]),
    `  data       ${place}${server.resumed ? ", as it was left" : ", new"}${server.sandbox ? "; POST /patchbay/v1/reset goes back to the seed" : ""}`,
    `  dashboard  ${server.publicUrl ?? server.url}/dashboard`,
  ];
  if (server.metricsUrl) lines.push(`  metrics    ${server.metricsUrl}/metrics`);
  if (server.isDemo) lines.push(...demoLines(server.url));
  return `${lines.join("\n")}\n\n`;
}

function demoLines(url: string): string[] {
  const path = `${url}/client/v4/accounts/${demo.account}/magic/cf_interconnects`;
  return [
    `  account    ${demo.account}`,
    `  token      ${demo.token}`,
    `  or         ${demo.email} with key ${demo.key}`,
    "",
    "Make a change:",
    "",
    `curl ${path} -X PUT -H 'Content-Type: application/json' -H 'Authorization: Bearer ${demo.token}' -d '{"interconnects": [{"id": "${demo.interconnect}", "description": "Changed by me", "mtu": 1400}]}'`,
    "",
    "See what happened:",
    "",
    `curl ${url}/patchbay/v1/accounts/${demo.account}/changes -H 'Authorization: Bearer ${demo.token}'`,
  ];
}
