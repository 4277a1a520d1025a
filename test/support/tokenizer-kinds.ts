/** Small tokenizers of the kinds that models come with: `tokenizer.json` objects made on the spot. */

export interface KindOptions {
  readonly normalizer?: object | null;
  readonly preTokenizer?: object | null;
  readonly added?: ReadonlyArray<Readonly<Record<string, unknown>>>;
}

function tokenizerJson(
  model: object,
  { normalizer = null, preTokenizer = null, added = [] }: KindOptions,
): object {
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added.map((token, i) => ({
      id: 1_000 + i,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
      ...token,
    })),
    normalizer,
    pre_tokenizer: preTokenizer,
    post_processor: null,
    decoder: null,
    model,
  };
}

function withIds(tokens: readonly string[]): Record<string, number> {
  return Object.fromEntries([...new Set(tokens)].map((token, id) => [token, id]));
}

/** The characters that byte-level vocabularies write bytes as, by byte. */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  const visible = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(visible(byte) ? byte : next++));
})();

/** As GPT-2 and ModernBERT have it: every text is spelled in bytes, "Ġ" is the space before a word. */
export function byteLevelTokenizer(options: KindOptions & { readonly prefixSpace?: boolean } = {}): object {
  const merges: Array<[string, string]> = [
    ["t", "h"],
    ["th", "e"],
    ["Ġ", "the"],
    ["Ġ", "c"],
    ["Ġc", "a"],
    ["Ġca", "t"],
    ["Ã", "©"],
    ["Ġ", "Ġ"],
    ["i", "n"],
    ["in", "g"],
  ];
  const vocab = withIds([...BYTE_CHARACTERS, ...merges.map(([a, b]) => a + b)]);
  const preTokenizer = { type: "ByteLevel", add_prefix_space: options.prefixSpace ?? false, use_regex: true };
  return tokenizerJson(
    { type: "BPE", vocab, merges, unk_token: null, ignore_merges: false },
    { preTokenizer, ...options },
  );
}

/** As XLM-RoBERTa and T5 have it: pieces with scores, "▁" in the place of a space. */
export function unigramTokenizer(options: KindOptions = {}): object {
  const pieces = [
    "<unk>",
    "▁",
    "▁the",
    "▁cat",
    "s",
    "ing",
    "▁run",
    "n",
    ..."abcdefghijklmnopqrstuvwxyzéσ0123.,-",
  ];
  const vocab = [...new Set(pieces)].map((piece, i) => [piece, i === 0 ? 0 : -1 - i / 10 + piece.length]);
  return tokenizerJson(
    { type: "Unigram", unk_id: 0, vocab },
    {
      normalizer: {
        type: "Sequence",
        normalizers: [
          { type: "Precompiled", precompiled_charsmap: "" },
          { type: "Strip", strip_left: false, strip_right: true },
          { type: "Replace", pattern: { Regex: " {2,}" }, content: "▁" },
        ],
      },
      preTokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "always" },
      ...options,
    },
  );
}

/** As Llama and Gemma have it: merges over characters, and bytes for characters that are not in the vocabulary. */
export function fallbackTokenizer(options: KindOptions & { readonly bytes?: boolean } = {}): object {
  const bytes = options.bytes ?? true;
  const hex = Array.from({ length: 256 }, (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, "0")}>`);
  const merges: Array<[string, string]> = [
    ["▁", "t"],
    ["▁t", "h"],
    ["▁th", "e"],
    ["c", "a"],
    ["ca", "t"],
  ];
  const vocab = withIds([
    "<unk>",
    ...(bytes ? hex : []),
    ..."▁abcdefghijklmnopqrstuvwxyz.,",
    ...merges.map(([a, b]) => a + b),
  ]);
  return tokenizerJson(
    { type: "BPE", vocab, merges, unk_token: "<unk>", fuse_unk: true, byte_fallback: bytes },
    {
      normalizer: {
        type: "Sequence",
        normalizers: [
          { type: "Prepend", prepend: "▁" },
          { type: "Replace", pattern: { String: " " }, content: "▁" },
        ],
      },
      ...options,
    },
  );
}

/** As CLIP has it: merges over characters, the last token of a word ends in "</w>". */
export function endOfWordTokenizer(options: KindOptions = {}): object {
  const letters = [..."abcdefghijklmnopqrstuvwxyz"];
  const merges: Array<[string, string]> = [
    ["c", "a"],
    ["ca", "t</w>"],
    ["t", "h"],
  ];
  const vocab = withIds([
    "<unk>",
    ...letters,
    ...letters.map((l) => `${l}</w>`),
    ...merges.map(([a, b]) => a + b),
  ]);
  return tokenizerJson(
    { type: "BPE", vocab, merges, unk_token: "<unk>", end_of_word_suffix: "</w>" },
    { normalizer: { type: "Lowercase" }, preTokenizer: { type: "Whitespace" }, ...options },
  );
}
