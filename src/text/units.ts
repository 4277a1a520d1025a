/**
 * The pieces that passages are put together from, each with its number of tokens: sentences, lines of code and
 * tables, and where those are long, runs of a few words, or of characters where there are no words. Every
 * character of the text is counted a bounded number of times, whatever the text.
 */
import {
  isHighSurrogate,
  isLowSurrogate,
  normalizeBlocks,
  skipSpace,
  skipSpaceBack,
  wholeCharacter,
} from "./blocks.js";
import { type HeadingPath, MAX_CHARACTERS_PER_TOKEN, oneLine } from "./context.js";
import { findSentences } from "./sentences.js";
import type { TextBlock, TokenCounter } from "./types.js";

/** What lies before a unit, the better places to cut first. 1..6 are headings of that level. */
export const BLOCK = 7;
export const SENTENCE = 8;
export const LINE = 9;
export const WORD = 10;
export const CHARACTER = 11;

/** More white space than this, in code units, never lies inside a passage that could do without it. */
export const WIDE_GAP = 100;

export interface Unit {
  readonly start: number;
  readonly end: number;
  /** Tokens, the white space before the unit included unless that is a wide gap. */
  readonly weight: number;
  /** 1..6, BLOCK, SENTENCE, LINE, WORD or CHARACTER. */
  readonly boundary: number;
  readonly isHeading: boolean;
  /** Headings above the unit; a heading is not above itself. */
  readonly path: HeadingPath | undefined;
}

type Emit = (start: number, end: number, boundary: number, weight: number) => void;

/** @param limit tokens above which a sentence is taken apart; at least 1. */
export function makeUnits(
  text: string,
  blocks: readonly TextBlock[] | undefined,
  limit: number,
  countTokens: TokenCounter,
): Unit[] {
  const units: Unit[] = [];
  const weigher = new Weigher(text, limit, countTokens);
  let path: HeadingPath | undefined;
  for (const block of normalizeBlocks(text, blocks)) {
    const isHeading = block.kind === "heading";
    const level = isHeading ? headingLevel(block) : BLOCK;
    while (isHeading && path !== undefined && path.level >= level) path = path.parent;
    const above = path;
    let before = level;
    weigher.cut(block, (start, end, boundary, weight) => {
      units.push({ start, end, weight, boundary: Math.min(before, boundary), isHeading, path: above });
      before = CHARACTER;
    });
    if (isHeading) path = { text: oneLine(text.slice(block.start, block.end)), level, parent: above };
  }
  return units;
}

function headingLevel(block: TextBlock): number {
  const level = block.level ?? 1;
  return Number.isSafeInteger(level) ? Math.min(6, Math.max(1, level)) : 1;
}

class Weigher {
  /** End of the last unit: where the white space before the next one begins. */
  private gap = 0;
  /** Code units of a piece of an oversized sentence. */
  private readonly pieceLength: number;
  private readonly maxLength: number;

  constructor(
    private readonly text: string,
    private readonly limit: number,
    private readonly countTokens: TokenCounter,
  ) {
    this.pieceLength = Math.min(64, Math.max(1, limit >> 2));
    this.maxLength = limit * MAX_CHARACTERS_PER_TOKEN;
  }

  cut(block: TextBlock, emit: Emit): void {
    const { kind, start, end } = block;
    if (kind === "code" || kind === "table") {
      for (const line of findLines(this.text, start, end)) {
        if (!this.fits(line.start, line.end, LINE, emit)) this.cutLine(line.start, line.end, LINE, emit);
      }
    } else if (kind === "heading" && this.fits(start, end, SENTENCE, emit)) {
      return;
    } else {
      for (const sentence of findSentences(this.text, start, end)) {
        if (this.fits(sentence.start, sentence.end, SENTENCE, emit)) continue;
        const lines = findLines(this.text, sentence.start, sentence.end);
        lines.forEach((line, i) => {
          const boundary = i === 0 ? SENTENCE : LINE;
          if (lines.length === 1 || !this.fits(line.start, line.end, boundary, emit)) {
            this.cutLine(line.start, line.end, boundary, emit);
          }
        });
      }
    }
  }

  private fits(start: number, end: number, boundary: number, emit: Emit): boolean {
    if (end - start > this.maxLength) return false;
    const weight = this.weigh(start, end);
    if (weight > this.limit) return false;
    this.emit(start, end, boundary, weight, emit);
    return true;
  }

  private emit(start: number, end: number, boundary: number, weight: number, emit: Emit): void {
    emit(start, end, boundary, weight);
    this.gap = end;
  }

  private weigh(start: number, end: number): number {
    const from = start - this.gap > WIDE_GAP ? start : this.gap;
    return this.countTokens(this.text.slice(from, end));
  }

  /** Runs of words of about `pieceLength`. */
  private cutLine(start: number, end: number, boundary: number, emit: Emit): void {
    let pieceStart = start;
    let pieceEnd = start;
    let before = boundary;
    const flush = (): void => {
      if (pieceEnd > pieceStart) this.cutWords(pieceStart, pieceEnd, before, emit);
      before = WORD;
    };
    for (const match of this.text.slice(start, end).matchAll(/\S+/gu)) {
      const wordStart = start + match.index;
      const wordEnd = wordStart + match[0].length;
      if (pieceEnd > pieceStart && wordEnd - pieceStart > this.pieceLength) {
        flush();
        pieceStart = wordStart;
      } else if (pieceEnd === pieceStart) {
        pieceStart = wordStart;
      }
      pieceEnd = wordEnd;
    }
    flush();
  }

  /** One long word or a few short ones; only taken apart when they are over the limit. */
  private cutWords(start: number, end: number, boundary: number, emit: Emit): void {
    if (this.fits(start, end, boundary, emit)) return;
    for (let at = start, before = boundary; at < end; before = CHARACTER) {
      const from = skipSpace(this.text, at, end);
      if (from >= end) return;
      const to = Math.min(end, this.characterCut(from, Math.min(end, from + this.pieceLength)));
      const last = skipSpaceBack(this.text, to, from);
      this.emitCharacters(from, last, before, emit);
      at = to;
    }
  }

  /** Halves a run of characters until it fits; a single character is let through whatever it weighs. */
  private emitCharacters(start: number, end: number, boundary: number, emit: Emit): void {
    const weight = this.weigh(start, end);
    const middle = this.characterCut(start, start + ((end - start) >> 1));
    if (weight <= this.limit || middle >= end || middle <= start) {
      this.emit(start, end, boundary, weight, emit);
      return;
    }
    this.emitCharacters(start, middle, boundary, emit);
    const rest = skipSpace(this.text, middle, end);
    if (rest < end) this.emitCharacters(rest, end, CHARACTER, emit);
  }

  /** The next place at or after `at`, and after `start`, that does not part a pair or, if near, a combined character. */
  private characterCut(start: number, at: number): number {
    let cut = Math.max(start + 1, at);
    for (let steps = 0; steps < 16 && this.joins(cut); steps++) cut++;
    return wholeCharacter(this.text, cut);
  }

  private joins(offset: number): boolean {
    const unit = this.text.charCodeAt(offset);
    if (isLowSurrogate(unit)) return isHighSurrogate(this.text.charCodeAt(offset - 1));
    if (unit < 0x300) return false;
    return this.text.charCodeAt(offset - 1) === 0x200d || /^[\p{M}\u200d]/u.test(this.text.charAt(offset));
  }
}

/** Lines of [from, to) that are not blank, without white space at their ends and, after the first, with indentation. */
function findLines(text: string, from: number, to: number): Array<{ start: number; end: number }> {
  const lines: Array<{ start: number; end: number }> = [];
  for (let line = from; line < to; ) {
    const newline = text.indexOf("\n", line);
    const next = newline < 0 || newline >= to ? to : newline + 1;
    const start = skipSpace(text, line, next);
    if (start < next) lines.push({ start, end: skipSpaceBack(text, next, start) });
    line = next;
  }
  return lines;
}
