/** Blocks of a text: found from blank lines, or those of an extractor put in order. */
import type { TextBlock } from "./types.js";

/** Paragraphs: runs of lines between blank lines, without the white space around them. */
export function findParagraphs(text: string, from = 0, to = text.length): TextBlock[] {
  const blocks: TextBlock[] = [];
  let start = -1;
  let end = from;
  for (let line = from; line < to; ) {
    const newline = text.indexOf("\n", line);
    const next = newline < 0 || newline >= to ? to : newline + 1;
    const first = skipSpace(text, line, next);
    if (first === next) {
      if (start >= 0) blocks.push({ kind: "paragraph", start, end });
      start = -1;
    } else {
      if (start < 0) start = first;
      end = skipSpaceBack(text, next, first);
    }
    line = next;
  }
  if (start >= 0) blocks.push({ kind: "paragraph", start, end });
  return blocks;
}

/**
 * Blocks that ascend, do not overlap, are not blank, begin and end with a visible character, and cover every
 * visible character of the text: what lies outside the given blocks becomes paragraphs.
 */
export function normalizeBlocks(text: string, blocks: readonly TextBlock[] | undefined): TextBlock[] {
  if (blocks === undefined || blocks.length === 0) return findParagraphs(text);
  const sorted = blocks.filter(isSane).sort((a, b) => a.start - b.start || b.end - a.end);
  const result: TextBlock[] = [];
  let covered = 0;
  const addGap = (to: number): void => {
    const first = skipSpace(text, covered, to);
    if (first < to) for (const paragraph of findParagraphs(text, first, to)) result.push(paragraph);
  };
  for (const block of sorted) {
    const start = wholeCharacter(text, Math.max(block.start, covered));
    const end = wholeCharacter(text, Math.min(block.end, text.length));
    const first = skipSpace(text, start, end);
    if (first >= end) continue;
    addGap(start);
    result.push({ ...block, start: first, end: skipSpaceBack(text, end, first) });
    covered = end;
  }
  addGap(text.length);
  return result;
}

function isSane(block: TextBlock): boolean {
  return Number.isSafeInteger(block.start) && Number.isSafeInteger(block.end) && block.start >= 0;
}

/** The offset itself, or one more where it would cut a surrogate pair. */
export function wholeCharacter(text: string, offset: number): number {
  return isLowSurrogate(text.charCodeAt(offset)) && isHighSurrogate(text.charCodeAt(offset - 1))
    ? offset + 1
    : offset;
}

export function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

export function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** True for what String.prototype.trim removes. */
export function isSpace(unit: number): boolean {
  if (unit <= 0x20) return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);
  if (unit < 0xa0) return false;
  return (
    unit === 0xa0 ||
    unit === 0x1680 ||
    (unit >= 0x2000 && unit <= 0x200a) ||
    unit === 0x2028 ||
    unit === 0x2029 ||
    unit === 0x202f ||
    unit === 0x205f ||
    unit === 0x3000 ||
    unit === 0xfeff
  );
}

/** First offset in [from, to) that is not white space, or `to`. */
export function skipSpace(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && isSpace(text.charCodeAt(at))) at++;
  return at;
}

/** One past the last offset in [from, to) that is not white space, or `from`. */
export function skipSpaceBack(text: string, to: number, from: number): number {
  let at = to;
  while (at > from && isSpace(text.charCodeAt(at - 1))) at--;
  return at;
}
