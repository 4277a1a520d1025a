/**
 * Late interaction over texts: each text is encoded as the passages of an index are, and its score is MaxSim with the query, of
 * its best part where it is longer than the model takes. A score depends on query and text alone, bit for bit.
 */
import type { EncodePool } from "../workers/encode-pool.js";
import { floatQuery, maxSim } from "./late-maxsim.js";
import { type PartLimits, textParts } from "./late-parts.js";

/** Changes when scores change: how texts are split, or how vectors are compared. */
export const LATE_RECIPE = "late 1";
export const LATE_MAX_TOKENS = 4_096;

/** A model that is loaded at first use. */
export interface LateModel {
  encoder(): Promise<EncodePool>;
  documentTokenizer(): Promise<{
    readonly documentBudget: number;
    countTokens(text: string): number;
  }>;
}

export interface TextTask {
  readonly query: string;
  /** Each with a visible character. */
  readonly texts: readonly string[];
}

export interface TextScores {
  /** One a text, from -(query tokens) to the query tokens. */
  readonly scores: Float64Array;
  /** Texts that had more tokens than count. */
  readonly cut: number;
}

export interface TextScoring {
  /** Tokens of a text that count. */
  readonly maxTokens: number;
  readonly signal: AbortSignal | undefined;
}

/** A text, and the places where its score goes. */
interface UniqueText {
  readonly text: string;
  readonly uses: { readonly task: number; readonly at: number }[];
}

interface Part {
  readonly text: string;
  readonly uses: UniqueText["uses"];
}

/** Parts that are cut before they are encoded; enough for a few tasks of each thread. */
const WINDOW = 128;
const WINDOW_PER_THREAD = 16;
/** While the parts of one window are cut on this thread, those of another are encoded on the others. */
const WINDOWS_IN_FLIGHT = 2;

/** One result a task. Queries and texts that occur twice are encoded once. Errors: ABORTED, CLOSED, MODEL_*, WORKER_FAILED. */
export async function scoreTexts(
  tasks: readonly TextTask[],
  model: LateModel,
  { maxTokens, signal }: TextScoring,
): Promise<TextScores[]> {
  const [encoder, tokenizer] = await Promise.all([model.encoder(), model.documentTokenizer()]);
  const queries = await encodeQueries(encoder, tasks, signal);
  const scores = tasks.map(({ texts }) => new Float64Array(texts.length).fill(Number.NEGATIVE_INFINITY));
  const cut = tasks.map(() => 0);
  const limits: PartLimits = {
    maxTokens,
    budget: tokenizer.documentBudget,
    countTokens: (text) => tokenizer.countTokens(text),
  };
  const size = Math.max(WINDOW, WINDOW_PER_THREAD * encoder.threads);
  const onCut = ({ uses }: UniqueText): void => {
    for (const { task } of uses) cut[task]!++;
  };
  const windows = windowsOf(partsOf(uniqueTexts(tasks), limits, onCut), size);
  const take = (vectors: Float32Array, { uses }: Part): void => {
    for (const { task, at } of uses) {
      const score = maxSim(queries[task]!, vectors);
      if (score > scores[task]![at]!) scores[task]![at] = score;
    }
  };
  const lane = async (): Promise<void> => {
    for (const window of windows) {
      const parts = window.map(({ text }) => text);
      // Scored as they come, while the threads encode the next ones; their vectors are held no longer.
      await encoder.visitDocuments(parts, ({ vectors }, i) => take(vectors, window[i]!), { signal });
    }
  };
  try {
    await Promise.all(Array.from({ length: WINDOWS_IN_FLIGHT }, lane));
  } finally {
    // After an error the other lane has no reason to go on.
    windows.return();
  }
  return scores.map((own, i) => ({ scores: own.map(atLeast(-queries[i]!.tokens)), cut: cut[i]! }));
}

/** One sentence about texts that were cut, none when there were none. */
export function cutWarnings({ scores, cut }: TextScores, maxTokens: number): string[] {
  if (cut === 0) return [];
  return [
    `${cut} of ${scores.length} documents are longer than ${maxTokens} tokens; only their beginnings were scored`,
  ];
}

/** A text that the model gives no token vector of has the lowest score that MaxSim can have. */
function atLeast(lowest: number): (score: number) => number {
  return (score) => Math.max(lowest, score);
}

async function encodeQueries(
  encoder: EncodePool,
  tasks: readonly TextTask[],
  signal: AbortSignal | undefined,
): Promise<ReturnType<typeof floatQuery>[]> {
  const unique = new Set(tasks.map(({ query }) => query));
  const running = new Map(Array.from(unique, (query) => [query, encoder.encodeQuery(query, { signal })]));
  const encoded = await Promise.all(tasks.map(({ query }) => running.get(query)!));
  return encoded.map(({ vectors, dim }) => floatQuery(vectors, dim));
}

function uniqueTexts(tasks: readonly TextTask[]): UniqueText[] {
  const known = new Map<string, UniqueText>();
  tasks.forEach(({ texts }, task) => {
    texts.forEach((text, at) => {
      const found = known.get(text);
      if (found === undefined) known.set(text, { text, uses: [{ task, at }] });
      else found.uses.push({ task, at });
    });
  });
  return [...known.values()];
}

function* partsOf(
  texts: readonly UniqueText[],
  limits: PartLimits,
  onCut: (text: UniqueText) => void,
): Generator<Part, void, undefined> {
  for (const text of texts) {
    const { parts, cut } = textParts(text.text, limits);
    if (cut) onCut(text);
    for (const part of parts) yield { text: part, uses: text.uses };
  }
}

function* windowsOf(parts: Iterable<Part>, size: number): Generator<Part[], void, undefined> {
  let window: Part[] = [];
  for (const part of parts) {
    if (window.push(part) < size) continue;
    yield window;
    window = [];
  }
  if (window.length > 0) yield window;
}
