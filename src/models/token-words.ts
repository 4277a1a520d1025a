/**
 * A text as the tokenizer takes it apart: words, and in each word the extents of its tokens. The steps are those of the
 * library's `encode`, so the ids are the same; what it adds is how much of the word each token stands for.
 */
import { decodeByteWord, utf8Length } from "./byte-alphabet.js";
import type { RawTokenizerSteps } from "./raw-tokenizer.js";

/** A pre-token or an added token. */
export interface TokenWord {
  /** What the tokenizer looks up: normalized, and in plain text where its vocabulary is one of bytes. */
  readonly surface: string;
  readonly ids: readonly number[];
  /** Extents of the tokens in `surface`, UTF-16 code units; -1 where that is not known. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** Whether its first token, which is unknown, is one with the last token of the word before if that is unknown as well. */
  readonly fuses: boolean;
}

/** How the tokens of a vocabulary are written. */
export interface TokenSpelling {
  /** Vocabulary of bytes, each written as one character. */
  readonly byteLevel: boolean;
  /** Before tokens that continue a word, such as "##"; empty for none. */
  readonly prefix: string;
  /** After tokens that the word goes on behind, such as "@@"; empty for none. */
  readonly suffix: string;
  /** After the last token of a word, such as "</w>"; empty for none. */
  readonly endOfWord: string;
  /** Whether normalizer and pre-tokenizer are those of BERT, which look at characters and end words at white space. */
  readonly bert: boolean;
  /** Whether a character that is not in the vocabulary becomes tokens such as "<0xE2>". */
  readonly byteFallback: boolean;
}

type Json = Readonly<Record<string, unknown>>;

/** Reads the spelling from a parsed `tokenizer.json`. */
export function tokenSpelling(json: object): TokenSpelling {
  const { model, normalizer, pre_tokenizer } = json as Readonly<Record<string, Json | null | undefined>>;
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  return {
    byteLevel: hasByteLevel(pre_tokenizer),
    prefix: text(model?.continuing_subword_prefix),
    suffix: text(model?.continuing_subword_suffix),
    endOfWord: text(model?.end_of_word_suffix),
    bert: normalizer?.type === "BertNormalizer" && pre_tokenizer?.type === "BertPreTokenizer",
    byteFallback: model?.byte_fallback === true,
  };
}

function hasByteLevel(preTokenizer: unknown): boolean {
  if (typeof preTokenizer !== "object" || preTokenizer === null) return false;
  const { type, pretokenizers } = preTokenizer as { type?: unknown; pretokenizers?: unknown };
  return type === "ByteLevel" || (Array.isArray(pretokenizers) && pretokenizers.some(hasByteLevel));
}

/** Words that are kept with their tokens: a language has some ten thousand, and they make up most of any text. */
const CACHED_WORDS = 20_000;
const LONGEST_CACHED = 32;

export class WordCutter {
  /** Whether the tokens of a text are those of its parts between spaces, one after another. */
  readonly separable: boolean;
  private readonly cache = new Map<string, TokenWord>();

  constructor(
    private readonly tokenizer: RawTokenizerSteps,
    private readonly spelling: TokenSpelling,
  ) {
    const added = [...tokenizer.added_tokens_map].every(
      ([content, { normalized }]) => !normalized && !/\s/u.test(content),
    );
    this.separable = spelling.bert && added && !tokenizer.model.fuse_unk;
  }

  /** The words of a text, without special tokens. */
  cut(text: string): TokenWord[] {
    const { splitter_unnormalized, splitter_normalized, normalizer, pre_tokenizer, model } = this.tokenizer;
    const words: TokenWord[] = [];
    for (const [index, section] of this.split(splitter_unnormalized, text).entries()) {
      if (typeof section !== "string") {
        words.push(section);
        continue;
      }
      const normalized = normalizer === null ? section : normalizer(section);
      for (const part of this.split(splitter_normalized, normalized)) {
        if (typeof part !== "string") words.push(part);
        else {
          const preTokens = pre_tokenizer === null ? [part] : pre_tokenizer(part, { section_index: index });
          preTokens.forEach((preToken, i) => {
            const word = this.word(preToken);
            const fuses = i > 0 && model.fuse_unk && word.ids[0] === model.unk_token_id;
            words.push(fuses ? { ...word, fuses } : word);
          });
        }
      }
    }
    return words;
  }

  /** Added tokens as words, the texts between them as strings; empty ones are left out. */
  private split(splitter: RawTokenizerSteps["splitter_normalized"], text: string): Array<string | TokenWord> {
    const added = this.tokenizer.added_tokens_map;
    const parts = splitter.split(text);
    for (const [i, part] of parts.entries()) {
      const token = added.get(part);
      if (token?.lstrip && i > 0) parts[i - 1] = parts[i - 1]!.trimEnd();
      if (token?.rstrip && i < parts.length - 1) parts[i + 1] = parts[i + 1]!.trimStart();
    }
    return parts
      .filter((part) => part !== "")
      .map((part) => {
        const token = added.get(part);
        if (token === undefined) return part;
        return { surface: part, ids: [token.id], starts: [0], ends: [part.length], fuses: false };
      });
  }

  private word(preToken: string): TokenWord {
    const known = this.cache.get(preToken);
    if (known !== undefined) return known;
    const { model, added_tokens_map: added } = this.tokenizer;
    const tokens = model.encode([preToken]);
    const ids = tokens.map(
      (token) => added.get(token)?.id ?? model.tokens_to_ids.get(token) ?? model.unk_token_id ?? -1,
    );
    const extents = placeTokens(preToken, tokens, model.unk_token, this.spelling);
    const word = fuseUnknown(
      this.spelling.byteLevel
        ? { ids, fuses: false, ...decodeByteWord(preToken, extents) }
        : { surface: preToken, ids, fuses: false, ...extents },
      model.fuse_unk ? model.unk_token_id : undefined,
    );
    if (preToken.length <= LONGEST_CACHED) {
      if (this.cache.size >= CACHED_WORDS) this.cache.clear();
      this.cache.set(preToken, word);
    }
    return word;
  }
}

export interface Extents {
  readonly starts: number[];
  readonly ends: number[];
}

/** Extents of tokens that together spell `word`; all -1 when they do not. */
function placeTokens(
  word: string,
  tokens: readonly string[],
  unknown: string | undefined,
  spelling: TokenSpelling,
): Extents {
  if (tokens.length === 1 && tokens[0] === unknown) return { starts: [0], ends: [word.length] };
  const starts: number[] = [];
  const ends: number[] = [];
  let at = 0;
  /** Bytes of the character at `at` that tokens such as "<0xE2>" have stood for. */
  let bytes = 0;
  for (const [i, token] of tokens.entries()) {
    const character = at < word.length ? String.fromCodePoint(word.codePointAt(at)!) : "";
    const piece = spelled(token, i === 0, i === tokens.length - 1, spelling);
    starts.push(at);
    if (spelling.byteFallback && /^<0x[0-9A-F]{2}>$/.test(token) && character !== "") {
      ends.push(at + character.length);
      bytes++;
      if (bytes === utf8Length(character)) {
        at += character.length;
        bytes = 0;
      }
    } else if (bytes === 0 && piece !== "" && word.startsWith(piece, at)) {
      at += piece.length;
      ends.push(at);
    } else if (bytes === 0 && token === unknown && character !== "") {
      // A model of merges knows all that it merges: what it does not know is a character.
      at += character.length;
      ends.push(at);
    } else break;
  }
  if (ends.length === tokens.length && at === word.length && bytes === 0) return { starts, ends };
  return { starts: tokens.map(() => -1), ends: tokens.map(() => -1) };
}

/** The characters that a token of the vocabulary stands for. */
function spelled(
  token: string,
  first: boolean,
  last: boolean,
  { prefix, suffix, endOfWord }: TokenSpelling,
): string {
  let piece = token;
  if (!first && prefix !== "" && piece.startsWith(prefix)) piece = piece.slice(prefix.length);
  if (!last && suffix !== "" && piece.endsWith(suffix)) piece = piece.slice(0, -suffix.length);
  if (last && endOfWord !== "" && piece.endsWith(endOfWord)) piece = piece.slice(0, -endOfWord.length);
  return piece;
}

/** Neighbouring unknown tokens of a word as one. */
function fuseUnknown(word: TokenWord, unknownId: number | undefined): TokenWord {
  if (unknownId === undefined) return word;
  const ids: number[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  word.ids.forEach((id, i) => {
    if (id === unknownId && ids.at(-1) === unknownId) {
      ends[ends.length - 1] = word.ends[i]!;
      return;
    }
    ids.push(id);
    starts.push(word.starts[i]!);
    ends.push(word.ends[i]!);
  });
  return { ...word, ids, starts, ends };
}
