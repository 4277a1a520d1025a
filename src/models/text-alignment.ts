/**
 * Lays what a tokenizer made of a text along the text again, character by character, in a form in which case, accents
 * and compatibility forms do not count. Both must agree to the last letter: where they do not, nothing from there on is
 * placed, so a character has the right place or none.
 */

/** For each UTF-16 unit of the derived text the characters [start, end) of the source that it came from; -1 for none. */
export interface Alignment {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** What tokenizers drop, add or replace without changing a letter: white space, marks, controls and quotes. */
const IGNORED = /[\s\p{M}\p{C}\u2581\ufffd"'`]/gu;
const MARK = /^\p{M}/u;

const folds = new Map<string, string>();
/** Unicode has more than a million characters, a text some hundred. */
const MAX_FOLDS = 65_536;

/** The letters as which a character is compared; none for one that either side may lack. */
function lettersOf(character: string): string {
  let letters = folds.get(character);
  if (letters === undefined) {
    const plain = character.normalize("NFKD").toLowerCase().normalize("NFKD");
    letters = plain.replace(IGNORED, "").replaceAll("ς", "σ");
    if (folds.size >= MAX_FOLDS) folds.clear();
    folds.set(character, letters);
  }
  return letters;
}

/** Whether the character can be missing in a text that a tokenizer made, or stand there without having been in its source. */
export function isIgnored(character: string): boolean {
  return lettersOf(character) === "";
}

/** White space, and the sign that vocabularies have in its place. */
export function isSpaceSign(unit: number): boolean {
  if (unit < 0x80) return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);
  return unit === 0x2581 || /\s/u.test(String.fromCharCode(unit));
}

/** A text that is read character by character. */
class Reader {
  at = 0;
  /** Letters that wait for the other side, and where their character begins; it ends at `at`. */
  letters = "";
  from = 0;

  constructor(readonly text: string) {}

  /** The next character; empty at the end. */
  get character(): string {
    const code = this.text.codePointAt(this.at);
    return code === undefined ? "" : String.fromCodePoint(code);
  }

  take(character: string): void {
    this.from = this.at;
    this.at += character.length;
    this.letters = lettersOf(character);
  }
}

/** Aligns `derived`, which a tokenizer made, with the beginning of `source`. */
export function alignText(source: string, derived: string): Alignment {
  const starts = new Int32Array(derived.length).fill(-1);
  const ends = new Int32Array(derived.length).fill(-1);
  const left = new Reader(source);
  const right = new Reader(derived);
  while (right.at < derived.length || right.letters !== "") {
    const idle = left.letters === "" && right.letters === "";
    if (idle && placeEqual(left, right, starts, ends)) continue;
    const here = left.letters === "" ? left.character : "";
    if (here !== "" && isIgnored(here)) {
      passOver(left, here, ends, right.at);
      continue;
    }
    if (right.letters === "") {
      const there = right.character;
      right.take(there);
      if (right.letters === "") continue;
    }
    if (left.letters === "") {
      if (here === "") break;
      left.take(here);
    }
    const common = Math.min(left.letters.length, right.letters.length);
    if (left.letters.slice(0, common) !== right.letters.slice(0, common)) break;
    for (let unit = right.from; unit < right.at; unit++) {
      if (starts[unit]! < 0) starts[unit] = left.from;
      ends[unit] = left.at;
    }
    left.letters = left.letters.slice(common);
    right.letters = right.letters.slice(common);
  }
  for (let here = left.character; MARK.test(here); here = left.character)
    passOver(left, here, ends, right.at);
  if (right.letters !== "") {
    starts.fill(-1, right.from, right.at);
    ends.fill(-1, right.from, right.at);
  }
  return { starts, ends };
}

/** Places the next character where it is the same on both sides, or white space on both. */
function placeEqual(left: Reader, right: Reader, starts: Int32Array, ends: Int32Array): boolean {
  if (left.at >= left.text.length) return false;
  const unit = left.text.charCodeAt(left.at);
  const other = right.text.charCodeAt(right.at);
  const lower = unit >= 0x41 && unit <= 0x5a ? unit + 0x20 : unit;
  let length = 1;
  if (unit >= 0x80 || (unit !== other && lower !== other)) {
    const here = left.character;
    if (here !== right.character && !(isSpaceSign(unit) && isSpaceSign(other))) return false;
    length = here.length;
  }
  for (let i = 0; i < length; i++) {
    starts[right.at + i] = left.at;
    ends[right.at + i] = left.at + length;
  }
  left.at += length;
  right.at += length;
  return true;
}

/** Passes over a character that the derived text lacks; a mark belongs to the character before it. */
function passOver(left: Reader, character: string, ends: Int32Array, before: number): void {
  if (MARK.test(character)) {
    for (let unit = before - 1; unit >= 0 && ends[unit] === left.at; unit--)
      ends[unit] = left.at + character.length;
  }
  left.at += character.length;
}
