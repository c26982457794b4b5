/** What an examination finds. */

export interface Finding {
  readonly state: "well" | "note" | "wrong";
  readonly about: "address" | "clock" | "token" | "account" | "read" | "write" | "log" | "limit";
  readonly message: string;
  /** What to do, if anything. */
  readonly todo?: string;
  /** A permission group that is missing, by name; any one of them would do. */
  readonly missing?: readonly string[];
}

/** An answer as it came, which may be no answer of this API at all. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly code: number | undefined;
  readonly message: string;
  readonly result: unknown;
}
