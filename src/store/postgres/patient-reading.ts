import { Away, Unreadable } from "../store.ts";
import { attempts } from "./attempts.ts";
import { isPassing, messageOf } from "./failures.ts";

/** Reads, and again for so many milliseconds if the way to the database was cut. Throws `Away` or `Unreadable`. */
export async function readPatiently<T>(patience: number, read: () => Promise<T>): Promise<T> {
  let last: unknown;
  for await (const _ of attempts(patience)) {
    try {
      return await read();
    } catch (error) {
      last = error;
      if (!isPassing(error)) throw new Unreadable(messageOf(error), { cause: error });
    }
  }
  throw new Away(messageOf(last), { cause: last });
}
