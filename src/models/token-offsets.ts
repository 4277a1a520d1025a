/** Which characters of a text its tokens stand for. The tokenizer tells what it looked up, not where that came from. */
import { type Alignment, alignText, isIgnored, isSpaceSign } from "./text-alignment.js";
import type { WordCutter } from "./token-words.js";

/** Tokens of a text and their characters: UTF-16 offsets [start, end), ascending; -1 for a token that has none. */
export interface LocatedTokens {
  readonly ids: number[];
  readonly starts: number[];
  readonly ends: number[];
}

/**
 * Tokens of `text`, which the tokenizer reads as it is or in lower case. White space at its ends is no part of a token.
 * Tokens that share a character, such as the bytes of an emoji, all have the whole character.
 */
export function locateTokens(cutter: WordCutter, text: string, lowercase: boolean): LocatedTokens {
  const words = cutter.cut(lowercase ? text.toLowerCase() : text);
  const surface = words.map((word) => word.surface).join("");
  const alignment = alignText(text, surface);
  const located: LocatedTokens = { ids: [], starts: [], ends: [] };
  let at = 0;
  for (const { surface: own, ids, starts, ends, fuses } of words) {
    for (let i = 0; i < ids.length; i++) {
      const known = starts[i]! >= 0 && ends[i]! > starts[i]!;
      const [start, end] = known ? placeOf(surface, at + starts[i]!, at + ends[i]!, alignment) : NOWHERE;
      if (i === 0 && fuses && located.ids.at(-1) === ids[0]) extendLast(located, start, end);
      else {
        located.ids.push(ids[i]!);
        located.starts.push(start);
        located.ends.push(end);
      }
    }
    at += own.length;
  }
  return located;
}

const NOWHERE = [-1, -1] as const;

/** Characters of the units [from, to) of the surface, without the white space among them if there is anything else. */
function placeOf(
  surface: string,
  from: number,
  to: number,
  { starts, ends }: Alignment,
): readonly [start: number, end: number] {
  let first = from;
  let last = to;
  while (first < last && isSpaceSign(surface.charCodeAt(first))) first++;
  while (last > first && isSpaceSign(surface.charCodeAt(last - 1))) last--;
  if (first === last) [first, last] = [from, to];
  let start = -1;
  let end = -1;
  for (let unit = first; unit < last; unit++) {
    if (starts[unit]! >= 0) {
      if (start < 0) start = starts[unit]!;
      end = ends[unit]!;
    } else if (!isIgnored(String.fromCodePoint(surface.codePointAt(unit)!))) return NOWHERE;
  }
  return [start, end];
}

/** Unknown tokens side by side are one. */
function extendLast({ starts, ends }: LocatedTokens, start: number, end: number): void {
  const last = starts.length - 1;
  const known = starts[last]! >= 0 && start >= 0;
  starts[last] = known ? starts[last]! : -1;
  ends[last] = known ? end : -1;
}
