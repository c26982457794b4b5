import { ConfigError } from "./config.ts";

/** Where to listen, and what the settings that say so are called. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly hostName: string;
  readonly portName: string;
}

const unknown = ({ host, hostName }: Place) =>
  `There is no host ${host}. Choose an address of this machine with ${hostName}.`;

/** What keeps a server from listening, by the system's code. */
const reasons: Readonly<Record<string, (place: Place) => string>> = {
  EADDRINUSE: ({ port, portName }) =>
    `Port ${port} is taken by another program. Choose another with ${portName} (0 picks a free one).`,
  EACCES: ({ port, portName }) =>
    `Port ${port} may not be used by this user. Choose one above 1023 with ${portName}.`,
  EADDRNOTAVAIL: ({ host, hostName }) =>
    `This machine does not have the address ${host}. Choose one that it has with ${hostName}.`,
  ENOTFOUND: unknown,
  EAI_AGAIN: unknown,
};

/** Listens, or says plainly why not. */
export async function listen<T>(place: Place, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const reason = reasons[code];
    if (reason) throw new ConfigError(reason(place));
    throw error;
  }
}
