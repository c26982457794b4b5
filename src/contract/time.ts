/** Times as clients send them: RFC 3339, or a date alone. */

const FORM =
  /^(\d{4}-\d{2}-\d{2})(?:[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2})))?$/;

const MINUTE = 60_000;

/**
 * The moment in UTC to the microsecond, as logs tell it; a date alone is its first moment. What is finer
 * is rounded up, so that nothing at or after the moment is before the result. `undefined` if the text is
 * no time, or not one of the years 0 to 9999.
 */
export function parseTime(text: string): string | undefined {
  const [, date, clock = "00:00:00", fraction = "", sign = "+", hours = "00", minutes = "00"] =
    FORM.exec(text) ?? [];
  if (date === undefined || Number(hours) > 23 || Number(minutes) > 59) return undefined;
  const written = Date.parse(`${date}T${clock}Z`);
  // Date.parse carries the 30th of February over to March, and midnight's other name to the day after.
  if (Number.isNaN(written) || toSecond(written) !== `${date}T${clock}`) return undefined;
  const offset = (Number(hours) * 60 + Number(minutes)) * MINUTE * (sign === "+" ? 1 : -1);
  const nanoseconds = Number(fraction.padEnd(9, "0"));
  const micros = Math.ceil(nanoseconds / 1000);
  const carried = micros === 1_000_000;
  const moment = written - offset + (carried ? 1000 : 0);
  const second = toSecond(moment);
  if (second === undefined) return undefined;
  return `${second}.${String(carried ? 0 : micros).padStart(6, "0")}Z`;
}

/** `2026-01-31T12:00:00`; `undefined` outside of the years that have four digits. */
function toSecond(moment: number): string | undefined {
  const text = new Date(moment).toISOString();
  return text.length === 24 ? text.slice(0, 19) : undefined;
}
