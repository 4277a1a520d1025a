/** Text with marks, broken into lines of a terminal. */
import { characterWidth, singleLine } from "../plain-text.js";

/** Characters from `start` to `end` (UTF-16 code units) have the mark. */
export interface Mark<T> {
  readonly start: number;
  readonly end: number;
  readonly mark: T;
}

/** A run of characters with the same mark, or without one; safe for a terminal. */
export interface Part<T> {
  readonly text: string;
  readonly mark: T | undefined;
}

interface Word<T> {
  readonly parts: Array<{ text: string; mark: T | undefined }>;
  width: number;
}

/**
 * Lines of at most `width` columns. White space is one space or the end of a line; words that are wider than a line
 * are broken between characters, which is also how text without spaces gets its lines.
 * @param marks ascending; where they overlap the earlier one counts. They may reach beyond the text.
 */
export function flow<T>(text: string, marks: ReadonlyArray<Mark<T>>, width: number): Part<T>[][] {
  const lines: Part<T>[][] = [];
  let line: Part<T>[] = [];
  let used = 0;
  for (const word of wordsOf(text, marks, Math.max(width, 2))) {
    if (used > 0 && used + 1 + word.width > width) {
      lines.push(line);
      line = [];
      used = 0;
    }
    if (used > 0) line.push({ text: " ", mark: undefined });
    line.push(...word.parts);
    used += word.width + (used > 0 ? 1 : 0);
  }
  return used > 0 ? [...lines, line] : lines;
}

function wordsOf<T>(text: string, marks: ReadonlyArray<Mark<T>>, width: number): Word<T>[] {
  const words: Word<T>[] = [];
  let open: Word<T> | undefined;
  const add = (run: string, mark: T | undefined): void => {
    for (const character of run) {
      const columns = characterWidth(character);
      if (open === undefined || open.width + columns > width) {
        open = { parts: [], width: 0 };
        words.push(open);
      }
      const last = open.parts.at(-1);
      // Neighbours may have equal marks and still be two things.
      if (last === undefined || last.mark !== mark) open.parts.push({ text: character, mark });
      else last.text += character;
      open.width += columns;
    }
  };
  const append = (piece: string, mark: T | undefined): void => {
    for (const run of singleLine(piece).split(/(\s+)/)) {
      if (run === "") continue;
      if (/^\s/.test(run)) open = undefined;
      else add(run, mark);
    }
  };
  let at = 0;
  for (const { start, end, mark } of marks) {
    append(text.slice(at, Math.max(start, at)), undefined);
    append(text.slice(Math.max(start, at), end), mark);
    at = Math.max(at, end);
  }
  append(text.slice(at), undefined);
  return words;
}
