/** The alphabet of byte-level vocabularies: each of the 256 bytes is written as one visible character. */

const VISIBLE: ReadonlyArray<readonly [number, number]> = [
  [0x21, 0x7e],
  [0xa1, 0xac],
  [0xae, 0xff],
];

/** Visible Latin-1 characters stand for themselves, the other bytes for U+0100 and those after it, in order. */
const BYTE_OF = ((): ReadonlyMap<number, number> => {
  const bytes = new Map<number, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const visible = VISIBLE.some(([from, to]) => byte >= from && byte <= to);
    bytes.set(visible ? byte : next++, byte);
  }
  return bytes;
})();

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Bytes of a character in UTF-8; a lone surrogate is encoded as U+FFFD. */
export function utf8Length(character: string): number {
  const code = character.codePointAt(0)!;
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/**
 * A word of a byte alphabet as text, and extents in it as extents in the text: a token that has bytes of a character
 * stands for the whole character. Extents of -1 stay.
 */
export function decodeByteWord(
  word: string,
  { starts, ends }: { readonly starts: readonly number[]; readonly ends: readonly number[] },
): { readonly surface: string; readonly starts: number[]; readonly ends: number[] } {
  const bytes = Uint8Array.from(word, (character) => BYTE_OF.get(character.charCodeAt(0)) ?? 0x3f);
  const surface = decoder.decode(bytes);
  if (surface.length === word.length) return { surface, starts: [...starts], ends: [...ends] };
  const first: number[] = [];
  const next: number[] = [];
  let at = 0;
  for (const character of surface) {
    for (let b = 0; b < utf8Length(character); b++) {
      first.push(at);
      next.push(at + character.length);
    }
    at += character.length;
  }
  return {
    surface,
    starts: starts.map((start) => first[start] ?? -1),
    ends: ends.map((end) => (end < 1 ? -1 : (next[end - 1] ?? -1))),
  };
}
