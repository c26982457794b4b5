/**
 * Checks SQLite's write-ahead log for damage before SQLite opens it.
 *
 * SQLite ends its recovery at the first frame that does not continue the checksum, since a power failure may leave such a
 * frame: it drops that frame and everything after it without an error. A power failure can damage only the last
 * transaction, because each commit is synced before the next one is written. So if a later transaction follows an
 * unreadable frame, the file was damaged, and recovery would drop changes that were acknowledged.
 *
 * The format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
 */

import { closeSync, openSync, readSync } from "node:fs";

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** The magic number, but for its last bit, which is 1 if checksums read words in big-endian order. */
const MAGIC = 0x377f0682;

type Checksum = readonly [number, number];

/** What a frame, or the header in the place of the frame before the first, passes on to the next. */
interface Link {
  readonly salts: string;
  readonly checksum: Checksum;
  readonly commits: boolean;
}

/**
 * Describes the damage of a write-ahead log, if there is any that loses a synced commit. The page size is
 * the database's, for a log whose header is damaged.
 */
export function findWalDamage(file: string, databasePageSize: number): string | undefined {
  const descriptor = openSync(file, "r");
  try {
    return walk(descriptor, databasePageSize);
  } finally {
    closeSync(descriptor);
  }
}

function walk(descriptor: number, databasePageSize: number): string | undefined {
  const header = Buffer.alloc(HEADER_BYTES);
  if (!fill(descriptor, header, 0)) return undefined;
  const magic = header.readUInt32BE(0);
  const littleEndian = (magic & 1) === 0;
  const stored: Checksum = [header.readUInt32BE(24), header.readUInt32BE(28)];
  const isWhole =
    (magic & ~1) >>> 0 === MAGIC && isSame(stored, add([0, 0], header.subarray(0, 24), littleEndian));
  const pageSize = isWhole ? header.readUInt32BE(8) : databasePageSize;
  let last: Link | undefined = isWhole
    ? { salts: header.toString("hex", 16, 24), checksum: stored, commits: false }
    : undefined;
  let unreadable = isWhole ? undefined : "its header";
  const salts = last?.salts;
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + pageSize);
  for (let number = 1, at = HEADER_BYTES; fill(descriptor, frame, at); number++, at += frame.length) {
    const link = linkOf(frame);
    // A header that cannot be read may have been for the words of either order.
    const orders = isWhole ? [littleEndian] : [true, false];
    const continues =
      last?.salts === link.salts && orders.some((order) => isSame(link.checksum, sumOf(last, frame, order)));
    if (unreadable === undefined && !continues) unreadable = `frame ${number}`;
    // A frame after a commit begins another transaction, so the commit before it was synced.
    else if (unreadable !== undefined && continues && last?.commits && link.salts === (salts ?? link.salts)) {
      return `${unreadable} does not match its checksum, and later changes follow it`;
    }
    last = link;
  }
  return undefined;
}

function linkOf(frame: Buffer): Link {
  return {
    salts: frame.toString("hex", 8, 16),
    checksum: [frame.readUInt32BE(16), frame.readUInt32BE(20)],
    commits: frame.readUInt32BE(4) !== 0,
  };
}

/** The checksum that a frame should have after the one before it. */
function sumOf(last: Link | undefined, frame: Buffer, littleEndian: boolean): Checksum {
  const before = add(last?.checksum ?? [0, 0], frame.subarray(0, 8), littleEndian);
  return add(before, frame.subarray(FRAME_HEADER_BYTES), littleEndian);
}

function add([first, second]: Checksum, bytes: Buffer, littleEndian: boolean): Checksum {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let [a, b] = [first, second];
  for (let at = 0; at < bytes.byteLength; at += 8) {
    a = (a + view.getUint32(at, littleEndian) + b) >>> 0;
    b = (b + view.getUint32(at + 4, littleEndian) + a) >>> 0;
  }
  return [a, b];
}

function isSame(one: Checksum, other: Checksum): boolean {
  return one[0] === other[0] && one[1] === other[1];
}

/** Fills a buffer from a place in a file. False if the file ends before. */
function fill(descriptor: number, buffer: Buffer, position: number): boolean {
  for (let at = 0; at < buffer.length; ) {
    const size = readSync(descriptor, buffer, at, buffer.length - at, position + at);
    if (size === 0) return false;
    at += size;
  }
  return true;
}
