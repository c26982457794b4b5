/** Asking a person for a line, and for a secret that nobody is to read over a shoulder. */

import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import consumers from "node:stream/consumers";
import { CommandFailure } from "./failure.ts";
import { canAsk, type Terminal } from "./terminal.ts";

/**
 * Asks for a line. `secret` shows nothing of what is typed. Throws where there is no terminal, or where it is left by
 * ctrl-c or ctrl-d.
 */
export async function askLine(terminal: Terminal, question: string, secret = false): Promise<string> {
  if (!canAsk(terminal)) {
    throw new CommandFailure(`${question.trim()} There is no terminal to ask at.`, {
      advice: "Give the options of the same name, and the token by --token-stdin.",
    });
  }
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({
    input: terminal.stdin,
    output: secret ? nowhere : terminal.stderr,
    terminal: true,
  });
  // The terminal echoes nothing from here on, so that nobody can answer too soon.
  terminal.stderr.write(question);
  // Readline redraws the question with the line.
  reader.setPrompt(secret ? "" : question);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const leave = () => reject(new CommandFailure("Interrupted. Nothing was kept.", { exitCode: 130 }));
  reader.once("line", resolve).once("SIGINT", leave).once("close", leave);
  try {
    return (await promise).trim();
  } finally {
    reader.close();
    if (secret) terminal.stderr.write("\n");
  }
}

/** All that stdin holds, as one line. */
export async function readSecret(terminal: Terminal): Promise<string> {
  const text = (await consumers.text(terminal.stdin)).trim();
  if (text !== "" && !/\s/.test(text)) return text;
  throw new CommandFailure(
    text === "" ? "There is no token on stdin." : "There is more than a token on stdin.",
    {
      advice: "Pipe the token alone: patchbay login --token-stdin < FILE",
    },
  );
}
