/** A line of the table that a run of the benchmark ends with. */
export interface Row {
  readonly what: string;
  readonly ours: string;
  readonly against: string;
  readonly ratio: string;
  readonly goal: string;
  readonly reached: boolean | undefined;
}
