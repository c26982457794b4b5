/** Patchbay as a library: a server inside somebody else's test. */

import { ConfigError } from "./server/config.ts";
import { demo } from "./server/demo.ts";
import { type Overrides, startServer } from "./server/patchbay.ts";
import { readSeedFile } from "./store/seed-file.ts";

export { ConfigError } from "./server/config.ts";
export { StoreRefused } from "./store/store.ts";

export interface PatchbayOptions {
  /** A seed as YAML text, or `{file}` with the name of one. The demonstration unless given. */
  readonly seed?: string | { readonly file: string };
  /** A directory to keep data in. In memory unless given. */
  readonly data?: string;
  /** A port to listen on. A free one unless given. */
  readonly port?: number;
  /** Requests of a credential in 300 seconds. Any number unless given. */
  readonly rateLimit?: number;
}

export interface Patchbay extends AsyncDisposable {
  /** The server's address, without a slash at the end. The API begins at `${url}/client/v4`. */
  readonly url: string;
  /** A token that may do everything with the demonstration; with a seed of your own, it is for the demonstration alone. */
  readonly token: string;
  /** The demonstration's account. */
  readonly accountId: string;
  /** Goes back to the seed: all objects, the log, the tokens. */
  reset(): Promise<void>;
  /** Stops the server. `await using` does the same. */
  close(): Promise<void>;
}

/** Starts a server on loopback. Throws `ConfigError` with every problem of the seed. */
export async function createPatchbay(options: PatchbayOptions = {}): Promise<Patchbay> {
  const { seed, data, port = 0, rateLimit } = options;
  const overrides: Overrides =
    seed === undefined
      ? {}
      : { seed: typeof seed === "string" ? { name: "seed", text: seed } : readSeedFile(seed.file) };
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new ConfigError(`port is ${port}, but must be a port number from 0 to 65535 (0 picks a free one).`);
  }
  const config = {
    host: "127.0.0.1",
    port,
    data,
    seed: undefined,
    sandbox: true,
    metricsPort: undefined,
    rateLimit: rateLimit ?? ("off" as const),
    logLevel: "silent",
  };
  const server = await startServer(config, overrides);
  return {
    url: server.url,
    token: demo.token,
    accountId: demo.account,
    reset: () => server.reset(),
    close: () => server.close(),
    [Symbol.asyncDispose]: () => server.close(),
  };
}
