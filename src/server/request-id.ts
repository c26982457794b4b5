/** The last three digits of all ids. Formatting each anew costs more than the rest of the id. */
const LAST = Array.from({ length: 4096 }, (_, number) => `${number.toString(16).padStart(3, "0")}-PBY`);

/** Ids in the form of `cf-ray`: 16 hex digits and a place. Drawn once for a server, then counted. */
export function requestIds(draw: (bytes: number) => Buffer): () => string {
  const server = draw(4).toString("hex");
  let high = draw(4).readUInt32BE() >>> 12;
  let low = 0;
  let head = "";
  return () => {
    if (low === 0) {
      high = (high + 1) & 0xfffff;
      head = server + high.toString(16).padStart(5, "0");
    }
    const id = head + LAST[low];
    low = (low + 1) & 4095;
    return id;
  };
}
