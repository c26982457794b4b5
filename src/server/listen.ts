import { ConfigError } from "./config.ts";

const unknown = (_: string, host: string) =>
  `There is no host ${host}. Choose an address of this machine with --host.`;

/** What keeps a server from listening, by the system's code. */
const reasons: Readonly<Record<string, (option: string, host: string, port: number) => string>> = {
  EADDRINUSE: (option, _, port) =>
    `Port ${port} is taken by another program. Choose another with ${option} (0 picks a free one).`,
  EACCES: (option, _, port) =>
    `Port ${port} may not be used by this user. Choose one above 1023 with ${option}.`,
  EADDRNOTAVAIL: (_, host) =>
    `This machine does not have the address ${host}. Choose one that it has with --host.`,
  ENOTFOUND: unknown,
  EAI_AGAIN: unknown,
};

/** Listens, or says plainly why not. */
export async function listen<T>(
  option: string,
  host: string,
  port: number,
  start: () => Promise<T>,
): Promise<T> {
  try {
    return await start();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const reason = reasons[code];
    if (reason) throw new ConfigError(reason(option, host, port));
    throw error;
  }
}
