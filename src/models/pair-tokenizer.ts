/** Queries and documents into the positions that a cross-encoder sees, long documents in several parts. */
import type { CrossEncoderSettings } from "./cross-encoder-settings.js";
import { specialPositions } from "./pair-template.js";
import { createRawTokenizer, loadTokenizer, type RawTokenizer } from "./raw-tokenizer.js";
import { tokenizeUpTo } from "./tokenizer.js";

export interface EncodedPair {
  /** One id a position. */
  readonly ids: Int32Array;
  /** Token type ids. */
  readonly types: Uint8Array;
}

/** Tokens of one text, without special tokens. */
export interface TextTokens {
  readonly ids: readonly number[];
  /** Whether the text was longer than the limit. */
  readonly truncated: boolean;
}

export interface EncodedParts {
  readonly parts: readonly EncodedPair[];
  /** Whether the query was cut to make room. */
  readonly queryCut: boolean;
}

type PairSettings = Pick<CrossEncoderSettings, "template" | "maxLength" | "tokenizerFile">;

export class PairTokenizer {
  /** Positions for query and document together. */
  private readonly room: number;

  private constructor(
    private readonly settings: PairSettings,
    private readonly tokenizer: RawTokenizer,
  ) {
    this.room = settings.maxLength - specialPositions(settings.template);
  }

  /** @throws MaxsimError MODEL_INVALID when tokenizer.json cannot be used. */
  static load(settings: PairSettings): Promise<PairTokenizer> {
    return loadTokenizer(
      settings.tokenizerFile,
      (json) => new PairTokenizer(settings, createRawTokenizer(json)),
    );
  }

  /** As many tokens as tell what is cut beside documents of up to `maxTokens`: whether the query is the longer one, too. */
  tokenizeQuery(text: string, maxTokens: number): TextTokens {
    return this.tokenize(text, Math.max(this.room, maxTokens) + 1);
  }

  /** At most `maxTokens` tokens. */
  tokenizeDocument(text: string, maxTokens: number): TextTokens {
    return this.tokenize(text, maxTokens);
  }

  /**
   * A pair that fits is one part. Else the longer side gives way first (`longest_first` of the tokenizers library: both keep half
   * when both are long), and the document becomes as many parts of equal length as cover it, evenly spread: they overlap, so that
   * none is a short rest. The first part is the pair that plain truncation gives.
   */
  encode({ ids: query }: TextTokens, { ids: document }: TextTokens): EncodedParts {
    const [queryLength, partLength] = longestFirst(query.length, document.length, this.room);
    const head = query.slice(0, queryLength);
    const rest = document.length - partLength;
    const count = rest === 0 ? 1 : Math.ceil(document.length / partLength);
    const parts = Array.from({ length: count }, (_, i) => {
      const start = count === 1 ? 0 : Math.round((i * rest) / (count - 1));
      return this.assemble(head, document.slice(start, start + partLength));
    });
    return { parts, queryCut: queryLength < query.length };
  }

  private assemble(query: readonly number[], document: readonly number[]): EncodedPair {
    const ids: number[] = [];
    const types: number[] = [];
    for (const piece of this.settings.template) {
      const own = piece.kind === "special" ? piece.ids : piece.kind === "query" ? query : document;
      for (const id of own) {
        ids.push(id);
        types.push(piece.type);
      }
    }
    return { ids: Int32Array.from(ids), types: Uint8Array.from(types) };
  }

  private tokenize(text: string, limit: number): TextTokens {
    const { ids } = tokenizeUpTo(text, limit, (part) => {
      return this.tokenizer.encode(part, { add_special_tokens: false });
    });
    return { ids: ids.slice(0, limit), truncated: ids.length > limit };
  }
}

/** Tokens that are left of the first and the second text; the second gets the odd one where both are long. */
export function longestFirst(first: number, second: number, room: number): readonly [number, number] {
  if (first + second <= room) return [first, second];
  const shorter = Math.min(first, second);
  const half = Math.floor(room / 2);
  const [small, large] = shorter <= half ? [shorter, room - shorter] : [half, room - half];
  return first <= second ? [small, large] : [large, small];
}
