/**
 * Names with an inner structure, as code and technical prose have them, and the words that they are made of:
 * `HTTPServer2` is http, server, 2; `read_file`, `read-file` and `readFile` are read, file.
 *
 * A name is a run of letters, marks and digits, with single hyphens and any number of underscores inside. Names that
 * `.`, `/`, `\`, `#`, `::`, `->` or `?.` tie together, without spaces, are a compound: `os.path.join`, `src/text`.
 * Inside of a name a part begins
 *  - after an underscore or a hyphen,
 *  - between a letter and a digit,
 *  - at a capital after a small letter,
 *  - at the last capital of several when small letters follow (`HTTPServer`); one small letter alone belongs to the
 *    capitals (`URLs`, `IPv4`),
 *  - between a letter that knows capitals and one that does not (`東京Tower`).
 *
 * What such rules would only shred stays whole: names longer than 64 code units, and names of eight parts or more
 * that are shorter than two characters on average, such as hashes. Every character is looked at a bounded number of
 * times.
 */

import { isHighSurrogate, isLowSurrogate } from "./blocks.js";

/** One name, or one compound of several. */
export interface Identifier {
  /** Offsets in the text, UTF-16 code units: without separators at the ends. */
  readonly start: number;
  readonly end: number;
  /** The words in order, small letters; two at least. */
  readonly parts: readonly string[];
  /** The parts without anything between them. */
  readonly joined: string;
}

/** Longer names and compounds are data, not words. */
const MAX_LENGTH = 64;

/** Parts of a name from which on they may be shreds. */
const SHREDS = 8;

const NONE = 0;
const LOWER = 1;
const UPPER = 2;
/** Letters without capitals. */
const CASELESS = 3;
const DIGIT = 4;
/** Belongs to the character before it. */
const MARK = 5;
const UNKNOWN = 255;

/** Classes of the code units of the basic plane, found when one is met first. */
const known = new Uint8Array(0x10000).fill(UNKNOWN);

function classify(character: string): number {
  if (/^\p{Ll}/u.test(character)) return LOWER;
  if (/^[\p{Lu}\p{Lt}]/u.test(character)) return UPPER;
  if (/^\p{L}/u.test(character)) return CASELESS;
  if (/^\p{N}/u.test(character)) return DIGIT;
  return /^\p{M}/u.test(character) ? MARK : NONE;
}

function classAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (isHighSurrogate(unit)) return classify(String.fromCodePoint(text.codePointAt(at)!));
  if (isLowSurrogate(unit)) {
    const paired = at > 0 && isHighSurrogate(text.charCodeAt(at - 1));
    return paired && classAt(text, at - 1) !== NONE ? MARK : NONE;
  }
  if (Number.isNaN(unit)) return NONE;
  if (known[unit] === UNKNOWN) known[unit] = classify(text.charAt(at));
  return known[unit]!;
}

/** A letter or digit begins here. */
function beginsRun(text: string, at: number): boolean {
  const type = classAt(text, at);
  return type !== NONE && type !== MARK;
}

/** Letters, marks and digits between separators. */
interface Run {
  readonly start: number;
  readonly end: number;
}

/**
 * Names and compounds that have two parts at least, in the order of the text; a compound comes after its names.
 * Numbers alone (`3.14`, `2024-05-06`) are none.
 */
export function* findIdentifiers(text: string): Generator<Identifier, void, undefined> {
  for (let at = 0; at < text.length; ) {
    if (!beginsRun(text, at)) {
      at++;
      continue;
    }
    const start = at;
    const compound: string[] = [];
    let names = 0;
    for (;;) {
      const runs = readName(text, at);
      const end = runs.at(-1)!.end;
      const parts = partsOfName(text, runs);
      const name = identifier(at, end, parts);
      if (name !== undefined) yield name;
      names++;
      if (end - start <= MAX_LENGTH) compound.push(...parts);
      at = end;
      const next = end + separatorBetweenNames(text, end);
      if (next === end || !beginsRun(text, next)) break;
      at = next;
    }
    const whole = names > 1 ? identifier(start, at, compound) : undefined;
    if (whole !== undefined) yield whole;
  }
}

/**
 * What the identifiers of a text add to its words: of each, the parts and the joined form, small letters, each once,
 * in the order in which they come first.
 */
export function identifierParts(text: string): string[] {
  const words = new Set<string>();
  for (const { parts, joined } of findIdentifiers(text)) {
    for (const part of parts) words.add(part);
    words.add(joined);
  }
  return [...words];
}

function identifier(start: number, end: number, parts: readonly string[]): Identifier | undefined {
  if (parts.length < 2 || end - start > MAX_LENGTH) return undefined;
  const joined = parts.join("");
  return /^\p{N}+$/u.test(joined) ? undefined : { start, end, parts, joined };
}

/** Runs of the name that begins at `start`; of a long name only as many as show that it is long. */
function readName(text: string, start: number): Run[] {
  const runs: Run[] = [];
  for (let at = start; ; ) {
    let end = at + 1;
    while (classAt(text, end) !== NONE) end++;
    if (end - start <= MAX_LENGTH || runs.length === 0) runs.push({ start: at, end });
    else runs[runs.length - 1] = { start: at, end };
    let next = end;
    if (text.charCodeAt(next) === HYPHEN) next++;
    else while (text.charCodeAt(next) === UNDERSCORE) next++;
    if (next === end || !beginsRun(text, next)) return runs;
    at = next;
  }
}

const HYPHEN = 0x2d;
const UNDERSCORE = 0x5f;

/** Length of what ties the name that ends at `at` to the next one, or 0. */
function separatorBetweenNames(text: string, at: number): number {
  const first = text.charAt(at);
  if (first === "." || first === "/" || first === "\\" || first === "#") return 1;
  const two = text.slice(at, at + 2);
  return two === "::" || two === "->" || two === "?." ? 2 : 0;
}

function partsOfName(text: string, runs: readonly Run[]): string[] {
  const { start } = runs[0]!;
  const { end } = runs.at(-1)!;
  if (end - start > MAX_LENGTH) return [text.slice(start, end).toLowerCase()];
  const parts = runs.flatMap((run) => partsOfRun(text, run));
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (parts.length < SHREDS || length >= parts.length * 2) return parts;
  return [
    runs
      .map((run) => text.slice(run.start, run.end))
      .join("")
      .toLowerCase(),
  ];
}

function partsOfRun(text: string, { start, end }: Run): string[] {
  const parts: string[] = [];
  let partStart = start;
  let lastStart = start;
  let last = NONE;
  let capitals = 0;
  const cut = (at: number): void => {
    if (at > partStart) parts.push(text.slice(partStart, at).toLowerCase());
    partStart = at;
  };
  for (let at = start; at < end; at++) {
    const type = classAt(text, at);
    if (type === MARK) continue;
    if (last === UPPER && type === LOWER) {
      if (capitals > 1 && nextClass(text, at, end) === LOWER) cut(lastStart);
    } else if (last !== type && last !== NONE) {
      cut(at);
    }
    capitals = type === UPPER ? (last === UPPER ? capitals + 1 : 1) : 0;
    last = type;
    lastStart = at;
  }
  cut(end);
  return parts;
}

function nextClass(text: string, at: number, end: number): number {
  let next = at + 1;
  while (next < end && classAt(text, next) === MARK) next++;
  return next < end ? classAt(text, next) : NONE;
}
