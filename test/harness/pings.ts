/** Reads what `ping` reports of each reply. */

/**
 * The numbers of the requests without a reply, below the highest that has one. With `-w`, `ping` sends on until it has as many
 * replies as `-c` says, so those at the end may still be on their way: its own percentage counts them as lost.
 */
export function lostPings(output: string): number[] {
  const answered = new Set([...output.matchAll(/icmp_seq=(\d+) /g)].map(([, number]) => Number(number)));
  if (answered.size === 0) throw new Error(`No reply: ${output}`);
  const highest = Math.max(...answered);
  return Array.from({ length: highest }, (_, index) => index + 1).filter((number) => !answered.has(number));
}
