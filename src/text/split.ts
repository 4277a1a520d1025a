/**
 * Splitting of a document into passages that fit the model.
 *
 * A document that fits whole is one passage with the title as its context. Otherwise passages are filled from the
 * beginning, and each is cut at the best place that it reaches:
 *  1. before a heading, the outermost one that lies in reach (the last of them). A passage that begins with a
 *     heading ends before a heading of a higher level, and one that begins inside a section ends where the section
 *     ends: so sections share a passage only when they lie under the same parent heading;
 *  2. else after the last block that leaves the passage at least half full, else after such a sentence, line, word,
 *     character.
 * A cut never comes right after a heading, unless headings alone fill the passage. Where a paragraph is cut between
 * sentences, the next passage repeats the last sentence, if that is short. White space wider than 100 characters
 * always separates passages, and so do the pages of a PDF and the chapters of a book: a hit opens where it stands. The context is the title and the headings
 * above the first character of the passage, "Title > Section > Sub".
 *
 * Source code whose definitions are known is not filled from the beginning but follows them: see `code/pack.ts`.
 */
import { checkInteger } from "../common/check.js";
import { skipSpace, skipSpaceBack } from "./blocks.js";
import { isCode, packCode } from "./code/pack.js";
import {
  type Context,
  Contexts,
  fitWords,
  MAX_CHARACTERS_PER_TOKEN,
  oneLine,
  passageInput,
  startsWithTitle,
} from "./context.js";
import { LineMap } from "./lines.js";
import { breaksCount, positionUnitOf, staysApart } from "./positions.js";
import type { LineMark, PassageSpan, TextBlock, TokenCounter } from "./types.js";
import { BLOCK, CHARACTER, LINE, makeUnits, SENTENCE, type Unit, WIDE_GAP, WORD } from "./units.js";

export interface SplitInput {
  readonly text: string;
  readonly title?: string | null;
  /** Structure of the text; without it, paragraphs are found from blank lines. */
  readonly blocks?: readonly TextBlock[];
  readonly lines?: readonly LineMark[];
  /** The file that the text came from tells what `lines` count: pages of a PDF, say. */
  readonly source?: { readonly path: string };
}

export interface SplitOptions {
  /** Tokens that a passage may take, its context included. */
  readonly budget: number;
  readonly countTokens: TokenCounter;
  /** Sentences that a passage repeats where a paragraph was cut; default 1. */
  readonly overlapSentences?: number;
}

/** Texts longer than this many characters for each token of the budget are not counted whole. */
const WHOLE_CHARACTERS_PER_TOKEN = 8;

/**
 * Passages of a document, ascending by start and by end; every visible character lies in one. A text without visible
 * characters gives one empty passage, so that the document exists and can be found by its title. Only a single
 * character that takes more tokens than the budget makes a passage exceed it.
 */
export function splitDocument(input: SplitInput, options: SplitOptions): PassageSpan[] {
  const { text } = input;
  const { countTokens } = options;
  const budget = checkInteger("budget", options.budget, 1);
  const overlap = checkInteger("overlapSentences", options.overlapSentences ?? 1, 0);
  const title = oneLine(input.title ?? "");
  const start = skipSpace(text, 0, text.length);
  const end = skipSpaceBack(text, text.length, start);
  const unit = positionUnitOf(input.source?.path);
  const lines = new LineMap(text, input.lines, breaksCount(unit));
  const apart = staysApart(unit);
  if (start === end) {
    const line = lines.lineAt(0);
    const context = fitWords(title, budget, countTokens);
    return [{ start: 0, end: 0, lineStart: line, lineEnd: line, context }];
  }
  const span = (from: number, to: number, context: string): PassageSpan => {
    return { start: from, end: to, lineStart: lines.lineAt(from), lineEnd: lines.lineAt(to - 1), context };
  };

  const wholeContext = startsWithTitle(text, start, title) ? "" : title;
  const whole = passageInput(wholeContext, text.slice(start, end));
  const oneRun = !apart || lines.lineAt(start) === lines.lineAt(end - 1);
  if (
    oneRun &&
    whole.length <= budget * WHOLE_CHARACTERS_PER_TOKEN &&
    (Buffer.byteLength(whole) <= budget || countTokens(whole) <= budget)
  ) {
    return [span(start, end, wholeContext)];
  }

  const contextLimit = budget >> 2;
  const inDefinitions = isCode(input.blocks);
  const hasContext =
    inDefinitions || title !== "" || (input.blocks ?? []).some(({ kind }) => kind === "heading");
  const contexts = new Contexts(title, contextLimit, countTokens);
  const room = hasContext ? budget - contextLimit : budget;
  // Half of the room, so that a heading always finds place beside the first unit of its section.
  const limit = Math.max(1, room >> 1);
  if (inDefinitions) {
    const passages = packCode(text, input.blocks, limit, budget, contexts, countTokens);
    return passages.map(({ start: from, end: to, context }) => span(from, to, context));
  }
  const units = makeUnits(text, input.blocks, limit, countTokens);
  const contextAt = (unit: Unit): Context => {
    if (unit.path === undefined && startsWithTitle(text, unit.start, title)) return NO_CONTEXT;
    const context = contexts.under(unit.path);
    // A character that cannot be cut may take nearly all of the budget by itself.
    return unit.weight + context.weight > budget ? NO_CONTEXT : context;
  };
  const runs = apart ? runsOf(units, (unit) => lines.lineAt(unit.start)) : [units];
  return runs.flatMap((run) =>
    pack(run, budget, room >> 2, overlap, contextAt).map(({ first, end: last, context }) =>
      span(run[first]!.start, run[last - 1]!.end, context),
    ),
  );
}

/** Units that follow each other on one page. */
function runsOf(units: readonly Unit[], pageOf: (unit: Unit) => number): Unit[][] {
  const runs: Unit[][] = [];
  let page: number | undefined;
  for (const unit of units) {
    const next = pageOf(unit);
    if (next === page) runs.at(-1)!.push(unit);
    else runs.push([unit]);
    page = next;
  }
  return runs;
}

const NO_CONTEXT: Context = { text: "", weight: 0 };

interface Packed {
  /** Index of the first unit. */
  readonly first: number;
  /** Index after the last unit. */
  readonly end: number;
  readonly context: string;
}

function pack(
  units: readonly Unit[],
  budget: number,
  overlapLimit: number,
  overlapSentences: number,
  contextAt: (unit: Unit) => Context,
): Packed[] {
  const passages: Packed[] = [];
  for (let done = 0, first = 0; done < units.length; ) {
    let context = contextAt(units[first]!);
    let reach = reachOf(units, first, budget, context.weight);
    if (reach <= done) {
      // The repeated sentences leave no room for a new one.
      first = done;
      context = contextAt(units[first]!);
      reach = Math.max(reachOf(units, first, budget, context.weight), done + 1);
    }
    const end =
      reach === units.length ? reach : chooseCut(units, first, done, reach, budget - context.weight);
    passages.push({ first, end, context: context.text });
    done = end;
    first = repeatFrom(units, first, end, overlapSentences, overlapLimit);
  }
  return passages;
}

/** Index after the last unit that a passage beginning with unit `first` may hold. */
function reachOf(units: readonly Unit[], first: number, budget: number, contextWeight: number): number {
  const begin = units[first]!;
  const outermost = begin.isHeading ? begin.boundary : (begin.path?.level ?? 0) + 1;
  const maxEnd = begin.start + budget * MAX_CHARACTERS_PER_TOKEN;
  let room = budget - contextWeight;
  let onlyHeadings = true;
  for (let i = first; i < units.length; i++) {
    const unit = units[i]!;
    if (unit.boundary < outermost && unit.boundary < BLOCK && !onlyHeadings) return i;
    room -= unit.weight;
    if (i > first && (room < 0 || unit.end > maxEnd || unit.start - units[i - 1]!.end > WIDE_GAP)) return i;
    onlyHeadings &&= unit.isHeading;
  }
  return units.length;
}

/** The best index in (done, reach] to end a passage at that begins with unit `first`; see the rules above. */
function chooseCut(units: readonly Unit[], first: number, done: number, reach: number, room: number): number {
  const classes = [BLOCK, SENTENCE, LINE, WORD, CHARACTER];
  const best: Array<number | undefined> = classes.map(() => undefined);
  let heading: number | undefined;
  let fallback: number | undefined;
  let filled = 0;
  for (let i = first; i < reach; i++) filled += units[i]!.weight;
  for (let cut = reach; cut > done; filled -= units[--cut]!.weight) {
    if (units[cut - 1]!.isHeading) continue;
    const { boundary } = units[cut]!;
    if (boundary < BLOCK && boundary < (heading === undefined ? BLOCK : units[heading]!.boundary))
      heading = cut;
    if (filled * 2 >= room) {
      const rank = classes.findIndex((limit) => boundary <= limit);
      best[rank] ??= cut;
    }
    fallback ??= cut;
  }
  return heading ?? best.find((cut) => cut !== undefined) ?? fallback ?? reach;
}

/** The unit that the next passage begins with: `end`, or up to `sentences` whole sentences of its paragraph before. */
function repeatFrom(
  units: readonly Unit[],
  first: number,
  end: number,
  sentences: number,
  limit: number,
): number {
  let from = end;
  let weight = 0;
  while (end - from < sentences && from - 1 > first && units[from]?.boundary === SENTENCE) {
    const { boundary, weight: added } = units[from - 1]!;
    weight += added;
    if (boundary > SENTENCE || weight > limit) break;
    from--;
  }
  return from;
}
