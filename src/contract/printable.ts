/** Text from elsewhere, as a terminal or a page may show it. */

/**
 * Control characters, line and paragraph separators, characters that change the direction of text, and characters that
 * are not visible: a name must not change how the text around it looks, nor look like another name. An emoji keeps the
 * selector that makes it one.
 */
const UNSAFE =
  /(?!(?<=\p{Extended_Pictographic})\ufe0f)[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;

/** The text with each unsafe character written out, such as `\u001b`. With `lines`, its line breaks and tabs stay. */
export function printable(text: string, { lines = false } = {}): string {
  return text.replace(UNSAFE, (unsafe) => {
    if (lines && (unsafe === "\n" || unsafe === "\t")) return unsafe;
    const hex = (unsafe.codePointAt(0) ?? 0).toString(16);
    return hex.length > 4 ? `\\u{${hex}}` : `\\u${hex.padStart(4, "0")}`;
  });
}
