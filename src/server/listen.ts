import { ConfigError } from "./config.ts";

/** Listens, or says plainly why not. */
export async function listen<T>(option: string, port: number, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EADDRINUSE") {
      throw new ConfigError(
        `Port ${port} is taken by another program. Choose another with ${option} (0 picks a free one).`,
      );
    }
    if (code === "EACCES")
      throw new ConfigError(
        `Port ${port} may not be used by this user. Choose one above 1023 with ${option}.`,
      );
    throw error;
  }
}
