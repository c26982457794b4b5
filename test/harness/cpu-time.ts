/** Seconds of CPU time that this thread has used: what other processes take from a busy machine does not count. */
export function cpuSeconds(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000_000;
}
