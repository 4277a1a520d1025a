/** Text of documents, file names and errors made safe for a terminal. */

// Escape sequences as a whole: CSI (ESC [ or U+009B), the string sequences OSC, DCS, SOS, PM and APC with their
// text, and the short ones. What is left of a broken sequence falls to the control characters below.
const SEQUENCES = new RegExp(
  [
    "(?:\\u001b\\[|\\u009b)[0-?]*[ -/]*[@-~]",
    "(?:\\u001b[\\]PX^_]|[\\u009d\\u0090\\u0098\\u009e\\u009f])[^\\u0007\\u001b\\u0090\\u0098\\u009c-\\u009f]*(?:\\u0007|\\u001b\\\\|\\u009c)",
    "\\u001b[ -/]*[0-Z\\\\^-~]",
  ].join("|"),
  "g",
);

// C0 and C1 controls and DEL, and the characters that reorder text (bidirectional marks, embeddings, isolates).
const CONTROLS = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const LONE_SURROGATES = /\p{Cs}/gu;
const LINE_SPACE = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;

/** One line without escape sequences, control or reordering characters; tabs and line breaks become one space. */
export function singleLine(text: string): string {
  return text
    .replace(SEQUENCES, "")
    .replace(LINE_SPACE, " ")
    .replace(CONTROLS, "")
    .replace(LONE_SURROGATES, "\ufffd");
}

/** The same, with line breaks kept and tabs as two spaces. */
export function multiLine(text: string): string {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => singleLine(line.replaceAll("\t", "  ")))
    .join("\n");
}

const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]$/u;
const EMOJI = /^\p{Emoji_Presentation}$/u;

/** First and last code points of the ranges that terminals show two columns wide (East Asian Wide, roughly). */
const WIDE: ReadonlyArray<readonly [number, number]> = [
  [0x1100, 0x115f], // Hangul Jamo
  [0x2e80, 0x303e], // CJK radicals, punctuation
  [0x3041, 0xa4cf], // Kana, CJK, Yi
  [0xa960, 0xa97f], // Hangul Jamo Extended-A
  [0xac00, 0xd7a3], // Hangul syllables
  [0xf900, 0xfaff], // CJK compatibility
  [0xfe30, 0xfe6f], // CJK compatibility forms
  [0xff00, 0xff60], // fullwidth forms
  [0xffe0, 0xffe6],
  [0x20000, 0x3fffd], // CJK extensions
];

/** Columns of a terminal that one character (code point) takes: 0, 1 or 2. */
export function characterWidth(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code >= 0x20 && code < 0x7f) return 1;
  if (ZERO_WIDTH.test(character)) return 0;
  return WIDE.some(([first, last]) => code >= first && code <= last) || EMOJI.test(character) ? 2 : 1;
}

/** Columns that a text without escape sequences takes. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** The text, cut to `width` columns with an ellipsis in the last one where it was longer. */
export function truncate(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let kept = "";
  let used = 1;
  for (const character of text) {
    used += characterWidth(character);
    if (used > width) break;
    kept += character;
  }
  return width < 1 ? "" : `${kept.trimEnd()}…`;
}
