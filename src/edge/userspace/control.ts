/**
 * What the agent says to the GRE process and what that answers: one line of JSON each way on a Unix socket, then the
 * connection is over. The process outlives agents, so both sides look at what they read.
 */

import { createConnection } from "node:net";
import { isRow, numberOf, type Row, rowsOf, textOf } from "../kernel/json.ts";

/** Grows when the form of requests changes: a process of another version is ended, and one of this started. */
export const CONTROL_VERSION = 1;
/** Milliseconds for an answer: the process only has to look around. */
const PATIENCE = 10_000;

/** A tunnel as the process knows it. */
export interface CarriedTunnel {
  readonly device: string;
  readonly local: string;
  readonly remote: string;
  readonly ttl: number;
}

export type Request =
  /** What is carried, of which devices? Nothing is listed if it is what it was at a stamp. */
  | { readonly ask: "list"; readonly unless?: string | undefined }
  /** Carry these and no others. */
  | { readonly ask: "carry"; readonly tunnels: readonly CarriedTunnel[] }
  | { readonly ask: "end" };

export interface Answer {
  readonly version: number;
  readonly pid: number;
  /** Another one when it carries something else, as far as it knows without looking at the devices. */
  readonly stamp: string;
  /** It is as it was at the stamp that was asked with. */
  readonly same: boolean;
  readonly tunnels: readonly CarriedTunnel[];
  readonly refused: readonly { readonly device: string; readonly reason: string }[];
}

export function tunnelsOf(value: unknown): readonly CarriedTunnel[] {
  return rowsOf(value).map((row) => ({
    device: textOf(row["device"]),
    local: textOf(row["local"]),
    remote: textOf(row["remote"]),
    ttl: numberOf(row["ttl"]),
  }));
}

export function requestOf(line: string): Request | undefined {
  const row: unknown = JSON.parse(line);
  if (!isRow(row)) return undefined;
  const ask = row["ask"];
  if (ask === "carry") return { ask, tunnels: tunnelsOf(row["tunnels"]) };
  if (ask === "list") return { ask, unless: textOf(row["unless"]) };
  return ask === "end" ? { ask } : undefined;
}

function answerOf(row: Row): Answer {
  return {
    version: numberOf(row["version"]),
    pid: numberOf(row["pid"]),
    stamp: textOf(row["stamp"]),
    same: row["same"] === true,
    tunnels: tunnelsOf(row["tunnels"]),
    refused: rowsOf(row["refused"]).map(({ device, reason }) => ({
      device: textOf(device),
      reason: textOf(reason),
    })),
  };
}

/** Asks the process behind a socket. Throws if nobody is there, or the answer is none. */
export function ask(path: string, request: Request): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const connection = createConnection(path);
    const chunks: Buffer[] = [];
    connection.setTimeout(PATIENCE, () => connection.destroy(new Error("The GRE process does not answer.")));
    connection.on("connect", () => connection.write(`${JSON.stringify(request)}\n`));
    connection.on("data", (chunk: Buffer) => chunks.push(chunk));
    connection.on("error", reject);
    connection.on("end", () => {
      connection.destroy();
      try {
        const row: unknown = JSON.parse(Buffer.concat(chunks).toString());
        if (isRow(row)) resolve(answerOf(row));
        else reject(new Error("The GRE process answered something else."));
      } catch (error) {
        reject(error);
      }
    });
  });
}
