/**
 * Texts into the positions that a ColBERT model sees: `[CLS] [marker] w1 ... wn [SEP]`, cut to the model's limits
 * with the last special token kept, queries filled up with expansion tokens where the model was trained so.
 */
import { readFile } from "node:fs/promises";
import { ioError } from "../common/errors.js";
import { invalidModel } from "./model-folder.js";
import { createRawTokenizer, type RawTokenizer } from "./raw-tokenizer.js";
import type { Marker, ModelSettings } from "./settings.js";

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

/** English has about 4.5 characters a token; eight a token mostly fill the limit at the first try. */
const CHARS_PER_TOKEN = 8;
/** A cut inside a word can change the last tokens before it; these many are not relied upon. */
const CUT_MARGIN = 16;

export class TextTokenizer {
  private readonly tokenizer: RawTokenizer;
  private readonly settings: ModelSettings;
  /** Special tokens that the tokenizer puts before and after a text. */
  private readonly before: readonly number[];
  private readonly after: readonly number[];
  private readonly documentPromptTokens: number;
  private readonly queryPromptTokens: number;

  private constructor(settings: ModelSettings, tokenizer: RawTokenizer) {
    this.settings = settings;
    this.tokenizer = tokenizer;
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
  static async load(settings: ModelSettings): Promise<TextTokenizer> {
    const file = settings.tokenizerFile;
    let text: string;
    try {
      text = await readFile(file, "utf8");
    } catch (error) {
      throw ioError("read", file, error);
    }
    try {
      return new TextTokenizer(settings, createRawTokenizer(JSON.parse(text)));
    } catch (error) {
      if (error instanceof Error && error.name === "MaxsimError") throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw invalidModel(file, `must be a tokenizer of the tokenizers library: ${reason}`, undefined, error);
    }
  }

  /** Positions that the text of one passage can fill. */
  get documentBudget(): number {
    const { documentLength, documentMarker } = this.settings;
    return documentLength - this.overhead(documentMarker) - this.documentPromptTokens;
  }

  encodeQuery(text: string): EncodedText {
    const { queryLength, queryMarker, queryPrompt, expansion } = this.settings;
    const limit = expansion?.strategy === "fixed" ? expansion.length : queryLength;
    const { ids, truncated, start, end } = this.assemble(
      text,
      queryPrompt,
      queryMarker,
      limit,
      this.queryPromptTokens,
    );
    const attended = ids.length;
    if (expansion !== null) {
      while (ids.length < Math.min(expansion.length, limit)) ids.push(expansion.tokenId);
    }
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
    const { documentLength, documentMarker, documentPrompt, skiplist } = this.settings;
    const { ids, truncated, start, end } = this.assemble(
      text,
      documentPrompt,
      documentMarker,
      documentLength,
      this.documentPromptTokens,
    );
    const kept = Int32Array.from(ids.keys()).filter((i) => !skiplist.has(ids[i]!));
    return {
      ids: Int32Array.from(ids),
      attention: new Uint8Array(ids.length).fill(1),
      kept,
      contentTokens: kept.filter((position) => position >= start && position < end).length,
      truncated,
    };
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

  /** The text is in the positions start .. end - 1 of `ids`. */
  private assemble(text: string, prompt: string, marker: Marker | null, limit: number, promptTokens: number) {
    const budget = limit - this.overhead(marker);
    const body = this.tokenizeUpTo(`${prompt}${text}`.trim(), budget);
    const truncated = body.length > budget;
    if (truncated) body.length = budget;
    const ids = [...this.before, ...body, ...this.after];
    // Position 1 in every dialect, also for a tokenizer that puts no special token first.
    if (marker !== null) ids.splice(Math.min(1, ids.length), 0, marker.id);
    const end = ids.length - this.after.length;
    return { ids, truncated, start: Math.min(end, end - body.length + promptTokens), end };
  }

  /**
   * All tokens of a short text; of a long one at least `budget + 1` from its start, or all. Only as much text is
   * tokenized as that takes, growing fourfold, so a text of many megabytes costs no more than a passage.
   */
  private tokenizeUpTo(text: string, budget: number): number[] {
    for (let length = Math.max(256, budget * CHARS_PER_TOKEN); length < text.length; length *= 4) {
      const ids = this.tokenize(text.slice(0, cutPosition(text, length)));
      if (ids.length > budget + CUT_MARGIN) return ids;
    }
    return this.tokenize(text);
  }

  private tokenize(text: string): number[] {
    const lowered = this.settings.lowercase ? text.toLowerCase() : text;
    return this.tokenizer.encode(lowered, { add_special_tokens: false }).ids;
  }
}

/** The last white space in the second half before `length`, else `length`, never inside a surrogate pair. */
function cutPosition(text: string, length: number): number {
  for (let i = length; i > length / 2; i--) if (/\s/.test(text[i]!)) return i;
  const unit = text.charCodeAt(length);
  return unit >= 0xdc00 && unit <= 0xdfff ? length - 1 : length;
}
