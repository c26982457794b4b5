/** One problem, as a server or a check of a file tells it. */
export interface Told {
  readonly code?: number;
  readonly message: string;
  /** JSON pointer into what was sent. */
  readonly pointer?: string;
  /** `file:line:column` of what was read. */
  readonly place?: string;
  /** The page that explains the code. */
  readonly page?: string;
}
