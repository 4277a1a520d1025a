/**
 * Sentences of a span of text: `Intl.Segmenter`, with its cuts after abbreviations, initials and line breaks taken
 * back. The segmenter's iterator costs time proportional to the whole string for each sentence (Node 20: 10,000
 * sentences of 290 kB take 2 s), so it only ever sees windows of a few thousand characters.
 */
import { isHighSurrogate, isSpace, skipSpace, skipSpaceBack } from "./blocks.js";

const WINDOW = 2000;

/** Characters at the end of a piece that tell whether it ends a sentence. */
const TAIL = 24;

/** Made at first use: it takes 15 ms, and a search needs none. */
let segmenter: Intl.Segmenter | undefined;

/** Ends of sentences, with what may close one: quotes, brackets, footnote marks. */
const TERMINATED = /[.!?…。！？｡।؟]["'”’»)\]*_]*$/u;

/** Words with a full stop that seldom end a sentence, whatever follows. */
const ABBREVIATION =
  /(?:^|[\s([{"'“‘])(?:e\.g|i\.e|cf|vs|viz|al|ca|approx|resp|Dr|Mr|Mrs|Ms|Prof|St|Sr|Jr|Gen|Sen|Rep|Gov|Lt|Col|Sgt|Capt|Rev|Hon|Fig|Figs|fig|figs|Eq|Eqs|eq|Tab|Sec|Sect|Ch|Vol|vol|Ed|Eds|ed|eds|pp|Ref|Refs|Dept|Univ|Jan|Feb|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|\p{Lu})\.$/u;

/** Words with a full stop that go on when a number follows: "No. 7", "Art. 5". */
const BEFORE_NUMBER = /(?:^|[\s([{"'“‘])(?:No|Nos|no|nos|Art|art|p|par|para|Nr|n|line|ver|v)\.$/u;

export interface Sentence {
  readonly start: number;
  readonly end: number;
}

function sharedSegmenter(): Intl.Segmenter {
  segmenter ??= new Intl.Segmenter("en", { granularity: "sentence" });
  return segmenter;
}

/** Sentences in [from, to), ascending, without the white space around them; together they hold all else. */
export function findSentences(text: string, from = 0, to = text.length): Sentence[] {
  const sentences: Sentence[] = [];
  let start = skipSpace(text, from, to);
  let last = start;
  for (let at = start; at < to; ) {
    const end = windowEnd(text, at, to);
    let piece = at;
    for (const { segment, index } of sharedSegmenter().segment(text.slice(at, end))) {
      piece = at + index;
      const pieceEnd = piece + segment.length;
      // The last sentence of a window may go on in the next one, which starts with it.
      if (pieceEnd === end && end < to && index > 0) break;
      const visible = skipSpaceBack(text, pieceEnd, piece);
      const blank = visible === piece;
      piece = pieceEnd;
      if (blank || visible <= start) continue;
      last = visible;
      if (!endsSentence(text, start, last, to)) continue;
      sentences.push({ start, end: last });
      start = skipSpace(text, last, to);
    }
    at = piece;
  }
  if (start < last) sentences.push({ start, end: last });
  return sentences;
}

/** Prefers to end a window after white space, and never ends it inside a surrogate pair. */
function windowEnd(text: string, at: number, to: number): number {
  const end = at + WINDOW;
  if (end >= to) return to;
  for (let cut = end; cut > at + WINDOW / 2; cut--) if (isSpace(text.charCodeAt(cut - 1))) return cut;
  return isHighSurrogate(text.charCodeAt(end - 1)) ? end - 1 : end;
}

/** Whether a sentence that began at `start` is over at `last`, one past a visible character. */
function endsSentence(text: string, start: number, last: number, to: number): boolean {
  const tail = text.slice(Math.max(start, last - TAIL), last);
  if (!TERMINATED.test(tail)) return false;
  if (!tail.endsWith(".")) return true;
  if (ABBREVIATION.test(tail)) return false;
  // "1. First" at the start is a number of a list, not a sentence.
  if (last - start <= 4 && /^\p{N}+\.$/u.test(tail)) return false;
  const next = text.charAt(skipSpace(text, last, to));
  return !(BEFORE_NUMBER.test(tail) && /\p{N}/u.test(next)) && !/\p{Ll}/u.test(next);
}
