import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseTime } from "./time.ts";

describe("a time is read", () => {
  test.each([
    ["2024-10-30", "2024-10-30T00:00:00.000000Z"],
    ["2024-10-30T12:34:56Z", "2024-10-30T12:34:56.000000Z"],
    ["2024-10-30t12:34:56z", "2024-10-30T12:34:56.000000Z"],
    ["2024-10-30T12:34:56.5Z", "2024-10-30T12:34:56.500000Z"],
    ["2024-10-30T12:34:56.123456Z", "2024-10-30T12:34:56.123456Z"],
    ["2024-10-30T00:30:00+02:00", "2024-10-29T22:30:00.000000Z"],
    ["2024-10-30T23:30:00-02:30", "2024-10-31T02:00:00.000000Z"],
    ["2024-10-30T12:34:56-00:00", "2024-10-30T12:34:56.000000Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000000Z"],
    // A moment between two microseconds is after the first of them.
    ["2024-10-30T12:34:56.1234561Z", "2024-10-30T12:34:56.123457Z"],
    ["2024-12-31T23:59:59.999999001Z", "2025-01-01T00:00:00.000000Z"],
    ["0000-01-01", "0000-01-01T00:00:00.000000Z"],
    ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000000Z"],
  ])("%s is %s", (text, time) => {
    expect(parseTime(text)).toBe(time);
  });

  test.each([
    "",
    "now",
    "2024",
    "2024-10",
    "2024-1-1",
    "20241030",
    "2024-02-30",
    "2023-02-29",
    "2024-13-01",
    "2024-00-10",
    "2024-10-30T12:34",
    "2024-10-30T12:34:56",
    "2024-10-30T24:00:00Z",
    "2024-10-30T12:60:00Z",
    "2024-10-30T12:34:60Z",
    "2024-10-30 12:34:56Z",
    "2024-10-30T12:34:56 02:00",
    "2024-10-30T12:34:56+0200",
    "2024-10-30T12:34:56+24:00",
    "2024-10-30T12:34:56+02:60",
    "2024-10-30T12:34:56.Z",
    "2024-10-30T12:34:56.1234567890Z",
    "+002024-10-30",
    "1730246400",
    " 2024-10-30",
    "2024-10-30\n",
    "٢٠٢٤-10-30",
    "0000-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
  ])("%j is none", (text) => {
    expect(parseTime(text)).toBeUndefined();
  });

  test("of any moment and offset, as the moment it is", () => {
    const minutes = fc.integer({ min: -1439, max: 1439 });
    const seconds = fc.integer({ min: -62_000_000_000, max: 253_000_000_000 });
    fc.assert(
      fc.property(seconds, fc.nat(999_999), minutes, (second, micros, offset) => {
        const at = `${new Date(second * 1000).toISOString().slice(0, 19)}.${String(micros).padStart(6, "0")}`;
        const local = new Date((second + offset * 60) * 1000).toISOString().slice(0, 19);
        const [hours, rest] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
        const zone = `${offset < 0 ? "-" : "+"}${String(hours).padStart(2, "0")}:${String(rest).padStart(2, "0")}`;
        expect(parseTime(`${local}.${String(micros).padStart(6, "0")}${zone}`)).toBe(`${at}Z`);
      }),
    );
  });
});
