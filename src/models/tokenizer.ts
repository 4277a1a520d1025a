/**
 * Texts into the positions that a ColBERT model sees: `[CLS] [marker] w1 ... wn [SEP]`, cut to the model's limits
 * with the last special token kept, queries filled up with expansion tokens where the model was trained so.
 */
import { invalidModel } from "./model-folder.js";
import { createRawTokenizer, loadTokenizer, type RawTokenizer } from "./raw-tokenizer.js";
import type { Marker, ModelSettings } from "./settings.js";
import { type LocatedTokens, TokenLocator } from "./token-offsets.js";
import { tokenSpelling, WordCutter } from "./token-words.js";

export interface EncodedText {
  /** One id a position. */
  readonly ids: Int32Array;
  /** 1 where the position is attended to, 0 elsewhere. */
  readonly attention: Uint8Array;
  /** Positions whose vectors are used, ascending. */
  readonly kept: Int32Array;
  /** Kept positions that stand for the text: neither special tokens, marker, prompt nor expansion. */
  readonly contentTokens: number;
  /** Whether the text was longer than the limit. */
  readonly truncated: boolean;
}

/** What the vectors of a text stand for: one entry a kept position. */
export interface LocatedText {
  readonly tokenIds: Uint32Array;
  /** Of each: a `TokenPart`. */
  readonly parts: Uint8Array;
  /** Characters in the text, UTF-16 offsets [start, end), ascending; -1 for what is not of the text or was not placed. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** Where a position comes from; special tokens, marker and prompt are `special`. */
export const TokenPart = { special: 0, text: 1, expansion: 2 } as const;

interface Tokens {
  readonly ids: readonly number[];
}

/** What surrounds a text, and the positions of all of it at most. */
interface Frame {
  readonly prompt: string;
  readonly promptTokens: number;
  readonly marker: Marker | null;
  readonly limit: number;
}

/** English has about 4.5 characters a token; eight a token mostly fill the limit at the first try. */
const CHARS_PER_TOKEN = 8;
/** A cut inside a word can change the last tokens before it; these many are not relied upon. */
const CUT_MARGIN = 16;

export class TextTokenizer {
  private readonly tokenizer: RawTokenizer;
  private readonly locator: TokenLocator;
  private readonly settings: ModelSettings;
  /** Special tokens that the tokenizer puts before and after a text. */
  private readonly before: readonly number[];
  private readonly after: readonly number[];
  private readonly documentPromptTokens: number;
  private readonly queryPromptTokens: number;

  private constructor(settings: ModelSettings, json: object) {
    const tokenizer = createRawTokenizer(json);
    this.settings = settings;
    this.tokenizer = tokenizer;
    this.locator = new TokenLocator(new WordCutter(tokenizer, tokenSpelling(json)), settings.lowercase);
    const probe = tokenizer.encode("a", { add_special_tokens: false }).ids;
    const whole = tokenizer.encode("a").ids;
    const at = whole.findIndex((_, i) => probe.every((id, j) => whole[i + j] === id));
    if (probe.length === 0 || at < 0) {
      throw invalidModel(
        settings.tokenizerFile,
        "must encode a text between its special tokens, but does not",
      );
    }
    this.before = whole.slice(0, at);
    this.after = whole.slice(at + probe.length);
    this.documentPromptTokens =
      settings.documentPrompt === "" ? 0 : this.countTokens(settings.documentPrompt);
    this.queryPromptTokens = settings.queryPrompt === "" ? 0 : this.countTokens(settings.queryPrompt);
    for (const [what, marker, length, prompt] of [
      ["query", settings.queryMarker, settings.queryLength, this.queryPromptTokens],
      ["document", settings.documentMarker, settings.documentLength, this.documentPromptTokens],
    ] as const) {
      const room = length - this.overhead(marker) - prompt;
      if (room < 1) {
        throw invalidModel(
          settings.folder,
          `must leave room for text, but its ${what} length ${length} has ${room} positions left after special tokens, marker and prompt`,
        );
      }
    }
  }

  /** @throws MaxsimError MODEL_INVALID when tokenizer.json cannot be used. */
  static load(settings: ModelSettings): Promise<TextTokenizer> {
    return loadTokenizer(settings.tokenizerFile, (json) => new TextTokenizer(settings, json));
  }

  /** Positions that the text of one passage can fill. */
  get documentBudget(): number {
    const { documentLength, documentMarker } = this.settings;
    return documentLength - this.overhead(documentMarker) - this.documentPromptTokens;
  }

  encodeQuery(text: string): EncodedText {
    const { expansion } = this.settings;
    const { ids, truncated, start, end } = this.assemble(text, this.queryFrame, this.plainTokens);
    const attended = ids.length;
    this.expand(ids);
    const attention = new Uint8Array(ids.length).fill(1);
    if (expansion?.attend === false) attention.fill(0, attended);
    return {
      ids: Int32Array.from(ids),
      attention,
      kept: Int32Array.from(ids.keys()),
      contentTokens: end - start,
      truncated,
    };
  }

  encodeDocument(text: string): EncodedText {
    const { ids, truncated, start, end } = this.assemble(text, this.documentFrame, this.plainTokens);
    const kept = this.keptPositions(ids);
    return {
      ids: Int32Array.from(ids),
      attention: new Uint8Array(ids.length).fill(1),
      kept,
      contentTokens: kept.filter((position) => position >= start && position < end).length,
      truncated,
    };
  }

  /** What the vectors of `encodeQuery(text)` stand for. */
  locateQuery(text: string): LocatedText {
    const frame = this.queryFrame;
    const { ids, whole } = this.assemble(text, frame, this.locatedTokens);
    const attended = ids.length;
    this.expand(ids);
    const located = this.locate(text, frame, ids, Int32Array.from(ids.keys()), whole);
    located.parts.fill(TokenPart.expansion, attended);
    return located;
  }

  /** What the vectors of `encodeDocument(text)` stand for. */
  locateDocument(text: string): LocatedText {
    const frame = this.documentFrame;
    const { ids, whole } = this.assemble(text, frame, this.locatedTokens);
    return this.locate(text, frame, ids, this.keptPositions(ids), whole);
  }

  /** Tokens of the text alone: no special tokens, marker or prompt. Linear in the length of the text. */
  countTokens(text: string): number {
    return this.tokenize(text).length;
  }

  /** The token's text as the vocabulary has it, such as "##ing". */
  tokenText(id: number): string {
    return this.tokenizer.id_to_token(id) ?? `[id ${id}]`;
  }

  /** Positions taken by special tokens and marker. */
  private overhead(marker: Marker | null): number {
    return this.before.length + this.after.length + (marker === null ? 0 : 1);
  }

  private get queryFrame(): Frame {
    const { queryLength, queryMarker: marker, queryPrompt: prompt, expansion } = this.settings;
    const limit = expansion?.strategy === "fixed" ? expansion.length : queryLength;
    return { prompt, marker, limit, promptTokens: this.queryPromptTokens };
  }

  private get documentFrame(): Frame {
    const { documentLength: limit, documentMarker: marker, documentPrompt: prompt } = this.settings;
    return { prompt, marker, limit, promptTokens: this.documentPromptTokens };
  }

  private expand(ids: number[]): void {
    const { expansion } = this.settings;
    if (expansion === null) return;
    while (ids.length < Math.min(expansion.length, this.queryFrame.limit)) ids.push(expansion.tokenId);
  }

  private keptPositions(ids: readonly number[]): Int32Array {
    const { skiplist } = this.settings;
    return Int32Array.from(ids.keys()).filter((i) => !skiplist.has(ids[i]!));
  }

  /** The text is in the positions start .. end - 1 of `ids`; `whole` is what it was made into, before it was cut. */
  private assemble<T extends Tokens>(text: string, frame: Frame, tokenize: (text: string) => T) {
    const { prompt, marker, limit, promptTokens } = frame;
    const budget = limit - this.overhead(marker);
    const whole = tokenizeUpTo(`${prompt}${text}`.trim(), budget, tokenize);
    const truncated = whole.ids.length > budget;
    const body = whole.ids.slice(0, budget);
    const ids = [...this.before, ...body, ...this.after];
    // Position 1 in every dialect, also for a tokenizer that puts no special token first.
    if (marker !== null) ids.splice(Math.min(1, ids.length), 0, marker.id);
    const end = ids.length - this.after.length;
    return { ids, truncated, start: Math.min(end, end - body.length + promptTokens), end, whole };
  }

  /** `located` are tokens of the trimmed prompt and text; `ids` the positions that were made of them. */
  private locate(
    text: string,
    { prompt, promptTokens, marker }: Frame,
    ids: readonly number[],
    kept: Int32Array,
    located: LocatedTokens,
  ): LocatedText {
    const all = `${prompt}${text}`;
    // From offsets in what was tokenized to offsets in the text.
    const shift = all.length - all.trimStart().length - prompt.length;
    const parts = new Uint8Array(kept.length).fill(TokenPart.special);
    const starts = new Int32Array(kept.length).fill(-1);
    const ends = new Int32Array(kept.length).fill(-1);
    const markerAt = marker === null ? Number.POSITIVE_INFINITY : 1;
    const last = ids.length - this.after.length - 1;
    for (const [row, position] of kept.entries()) {
      const token = position - this.before.length - (position > markerAt ? 1 : 0);
      if (position === markerAt || token < 0 || position > last) continue;
      if (token < promptTokens || token >= located.starts.length) continue;
      parts[row] = TokenPart.text;
      const end = located.ends[token]! + shift;
      // The first one of the text may begin with the white space behind the prompt.
      if (located.starts[token]! < 0 || end <= 0) continue;
      starts[row] = Math.max(0, located.starts[token]! + shift);
      ends[row] = end;
    }
    return { tokenIds: Uint32Array.from(kept, (position) => ids[position]!), parts, starts, ends };
  }

  private readonly plainTokens = (text: string): Tokens => ({ ids: this.tokenize(text) });

  private readonly locatedTokens = (text: string): LocatedTokens => this.locator.locate(text);

  private tokenize(text: string): number[] {
    const lowered = this.settings.lowercase ? text.toLowerCase() : text;
    return this.tokenizer.encode(lowered, { add_special_tokens: false }).ids;
  }
}

/**
 * All tokens of a short text; of a long one at least `budget + 1` from its start, or all. Only as much text is
 * tokenized as that takes, growing fourfold, so a text of many megabytes costs no more than a passage.
 */
export function tokenizeUpTo<T extends Tokens>(
  text: string,
  budget: number,
  tokenize: (text: string) => T,
): T {
  for (let length = Math.max(256, budget * CHARS_PER_TOKEN); length < text.length; length *= 4) {
    const tokens = tokenize(text.slice(0, cutPosition(text, length)));
    if (tokens.ids.length > budget + CUT_MARGIN) return tokens;
  }
  return tokenize(text);
}

/** The last white space in the second half before `length`, else `length`, never inside a surrogate pair. */
function cutPosition(text: string, length: number): number {
  for (let i = length; i > length / 2; i--) if (/\s/.test(text[i]!)) return i;
  const unit = text.charCodeAt(length);
  return unit >= 0xdc00 && unit <= 0xdfff ? length - 1 : length;
}
