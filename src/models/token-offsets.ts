/** Which characters of a text its tokens stand for. The tokenizer tells what it looked up, not where that came from. */
import { type Alignment, alignText, isIgnored, isSpaceSign } from "./text-alignment.js";
import type { WordCutter } from "./token-words.js";

/** Tokens of a text and their characters: UTF-16 offsets [start, end), ascending; -1 for a token that has none. */
export interface LocatedTokens {
  readonly ids: number[];
  readonly starts: number[];
  readonly ends: number[];
}

/** Parts of a text that are kept with their tokens: words mostly, of which a language has some ten thousand. */
const CACHED_PARTS = 20_000;
const LONGEST_CACHED = 32;

/** Finds tokens and their characters, in texts that the tokenizer reads as they are or in lower case. */
export class TokenLocator {
  private readonly cache = new Map<string, LocatedTokens>();

  constructor(
    private readonly cutter: WordCutter,
    private readonly lowercase: boolean,
  ) {}

  /**
   * White space at its ends is no part of a token. Tokens that share a character, such as the bytes of an emoji, all have
   * the whole character.
   */
  locate(text: string): LocatedTokens {
    if (!this.cutter.separable) return this.locatePart(text);
    const located: LocatedTokens = { ids: [], starts: [], ends: [] };
    for (let from = 0; from < text.length; ) {
      const space = text.indexOf(" ", from);
      const to = space < 0 ? text.length : space;
      if (to > from) {
        const { ids, starts, ends } = this.cachedPart(text.slice(from, to));
        for (let i = 0; i < ids.length; i++) {
          const placed = starts[i]! >= 0;
          located.ids.push(ids[i]!);
          located.starts.push(placed ? from + starts[i]! : -1);
          located.ends.push(placed ? from + ends[i]! : -1);
        }
      }
      from = to + 1;
    }
    return located;
  }

  private cachedPart(part: string): LocatedTokens {
    const known = this.cache.get(part);
    if (known !== undefined) return known;
    const located = this.locatePart(part);
    if (part.length <= LONGEST_CACHED) {
      if (this.cache.size >= CACHED_PARTS) this.cache.clear();
      this.cache.set(part, located);
    }
    return located;
  }

  private locatePart(text: string): LocatedTokens {
    const words = this.cutter.cut(this.lowercase ? text.toLowerCase() : text);
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
