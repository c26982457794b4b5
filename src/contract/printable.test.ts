import { describe, expect, test } from "vitest";
import { printable } from "./printable.ts";

describe("text from elsewhere is shown with", () => {
  test.each([
    ["control characters", "a\u001b[2J\u0007\u009b\n", "a\\u001b[2J\\u0007\\u009b\\u000a"],
    ["changes of direction", "\u202egnp.exe\u2066\u061c", "\\u202egnp.exe\\u2066\\u061c"],
    ["characters of no width", "pni\u200b_ord\u2060\ufeff", "pni\\u200b_ord\\u2060\\ufeff"],
    ["a soft hyphen", "pni\u00ad_ord", "pni\\u00ad_ord"],
    ["letters that are not visible", "a\u3164\u115f\uffa0\u180e", "a\\u3164\\u115f\\uffa0\\u180e"],
    ["tags", "a\u{e0041}\u{e007f}", "a\\u{e0041}\\u{e007f}"],
    ["selectors of variants", "a\ufe0f\u{e0100}", "a\\ufe0f\\u{e0100}"],
    ["separators of lines", "a\u2028b\u2029", "a\\u2028b\\u2029"],
    ["half a character", "a\ud83d", "a\\ud83d"],
  ])("%s written out", (_, text, shown) => {
    expect(printable(text)).toBe(shown);
    expect(printable(shown)).toBe(shown);
  });

  test.each([
    "pni_ord",
    "Zürich – 東京",
    "שלום",
    "مرحبا",
    "\u2764\ufe0f \u{1f6f0}\ufe0f",
    "e\u0301",
    "a\u00a0b",
  ])("%s as it is", (text) => {
    expect(printable(text)).toBe(text);
  });

  test("its lines where they are wanted", () => {
    expect(printable("a\n\tb\r\u202e", { lines: true })).toBe("a\n\tb\\u000d\\u202e");
  });
});
