import { readFileSync } from "node:fs";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { loadModelSettings } from "../../../src/models/load-settings.js";
import { createRawTokenizer } from "../../../src/models/raw-tokenizer.js";
import type { ModelSettings } from "../../../src/models/settings.js";
import { TokenLocator } from "../../../src/models/token-offsets.js";
import { tokenSpelling, WordCutter } from "../../../src/models/token-words.js";
import { type LocatedText, TextTokenizer, TokenPart } from "../../../src/models/tokenizer.js";
import { temporaryFolders } from "../../support/temp-folder.js";
import { TINY_TOKENS, tinyId, tinyTokenizer, writeTinyModel } from "../../support/tiny-model.js";
import {
  BYTE_CHARACTERS,
  byteLevelTokenizer,
  endOfWordTokenizer,
  fallbackTokenizer,
  unigramTokenizer,
} from "../../support/tokenizer-kinds.js";

const BUNDLED = new URL("../../../index-data/models/maxsim-small-en-v1/", import.meta.url);
const bundledJson = JSON.parse(readFileSync(new URL("tokenizer.json", BUNDLED), "utf8")) as object;

const lowercase = { type: "Lowercase" };
const sequence = (...normalizers: object[]): object => ({ type: "Sequence", normalizers });

const KINDS: ReadonlyArray<readonly [name: string, json: object]> = [
  ["WordPiece of the bundled model", bundledJson],
  ["WordPiece with a small vocabulary", tinyTokenizer()],
  ["byte-level BPE", byteLevelTokenizer()],
  ["byte-level BPE after NFC", byteLevelTokenizer({ normalizer: { type: "NFC" } })],
  [
    "byte-level BPE after NFKC and lower-casing",
    byteLevelTokenizer({ normalizer: sequence({ type: "NFKC" }, lowercase) }),
  ],
  ["byte-level BPE with a space in front", byteLevelTokenizer({ prefixSpace: true })],
  ["Unigram", unigramTokenizer()],
  [
    "Unigram after NFD without accents",
    unigramTokenizer({ normalizer: sequence({ type: "NFD" }, { type: "StripAccents" }, lowercase) }),
  ],
  [
    "Unigram in which quotes are replaced",
    unigramTokenizer({
      normalizer: sequence(
        { type: "Replace", pattern: { String: "``" }, content: '"' },
        { type: "Replace", pattern: { String: "''" }, content: '"' },
        { type: "NFKD" },
      ),
    }),
  ],
  ["BPE with bytes for unknown characters", fallbackTokenizer()],
  ["BPE with an unknown token", fallbackTokenizer({ bytes: false })],
  ["BPE with ends of words", endOfWordTokenizer()],
];

interface Located {
  readonly token: string;
  readonly unknown: boolean;
  readonly start: number;
  readonly end: number;
}

interface Kind {
  readonly raw: ReturnType<typeof createRawTokenizer>;
  readonly locator: TokenLocator;
  readonly lowering: TokenLocator;
  readonly byteLevel: boolean;
}

function kindOf(json: object): Kind {
  const raw = createRawTokenizer(json);
  const spelling = tokenSpelling(json);
  const cutter = new WordCutter(raw, spelling);
  return {
    raw,
    locator: new TokenLocator(cutter, false),
    lowering: new TokenLocator(cutter, true),
    byteLevel: spelling.byteLevel,
  };
}

function locate({ raw, locator, lowering }: Kind, text: string, lower = false): Located[] {
  const { ids, starts, ends } = (lower ? lowering : locator).locate(text);
  const expected = raw.encode(lower ? text.toLowerCase() : text, { add_special_tokens: false }).ids;
  expect(ids).toEqual(expected);
  return ids.map((id, i) => ({
    token: raw.id_to_token(id) ?? "",
    unknown: id === raw.model.unk_token_id,
    start: starts[i]!,
    end: ends[i]!,
  }));
}

/** Letters and symbols of a text, whatever a normalizer makes of them. */
function plain(text: string): string {
  const folded = text.normalize("NFKD").toLowerCase().normalize("NFKD");
  return folded.replace(/[\s\p{M}\p{C}\u2581\ufffd"'`]/gu, "").replaceAll("ς", "σ");
}

/** The text that a token of the vocabulary stands for; undefined for one that has a part of a character. */
function tokenText(token: string, { byteLevel }: { byteLevel: boolean }): string | undefined {
  const hex = /^<0x([0-9A-F]{2})>$/.exec(token);
  if (hex !== null) {
    const byte = Number.parseInt(hex[1]!, 16);
    return byte < 0x80 ? String.fromCharCode(byte) : undefined;
  }
  if (!byteLevel) return token.replace(/^##/, "").replace(/<\/w>$/, "");
  const bytes = Uint8Array.from(token, (c) => BYTE_CHARACTERS.indexOf(c));
  const decoded = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  return decoded.includes("\ufffd") ? undefined : decoded;
}

function checkSpans(kind: Kind, text: string, lower = false): void {
  let lastStart = 0;
  let lastEnd = 0;
  const covered = new Uint8Array(text.length);
  for (const { token, unknown, start, end } of locate(kind, text, lower)) {
    const expected = unknown ? undefined : tokenText(token, kind);
    if (start < 0) {
      expect(end).toBe(-1);
      // Only what has no letter may be without a place.
      if (expected !== undefined) expect(plain(expected)).toBe("");
      continue;
    }
    expect(start).toBeGreaterThanOrEqual(lastStart);
    expect(end).toBeGreaterThanOrEqual(lastEnd);
    expect(end).toBeGreaterThan(start);
    expect(end).toBeLessThanOrEqual(text.length);
    const span = text.slice(start, end);
    expect(cutsPair(text, start) || cutsPair(text, end)).toBe(false);
    if (expected !== undefined) {
      const [found, letters] = [plain(span), plain(expected)];
      expect(found).toContain(letters);
      // More than the token only where one character is normalized to several, of which the token has some.
      const edges = [[...span][0]!, [...span].at(-1)!];
      if (found !== letters) expect(edges.some((character) => plain(character).length > 1)).toBe(true);
    }
    covered.fill(1, start, end);
    lastStart = start;
    lastEnd = end;
  }
  for (let at = 0; at < text.length; ) {
    const character = String.fromCodePoint(text.codePointAt(at)!);
    if (plain(character) !== "") expect([character, covered[at]]).toEqual([character, 1]);
    at += character.length;
  }
}

function cutsPair(text: string, at: number): boolean {
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(at - 1, at + 1)) && at > 0;
}

const FRAGMENTS = [
  ...[
    "the cat",
    " running",
    "RUNNING",
    "  ",
    "\n\n",
    "\r\n\t",
    "a.b,c",
    "can't",
    "``so''",
    '"x"',
    "x".repeat(120),
  ],
  ...[
    "café",
    "cafe\u0301",
    "ÅNGSTRÖM",
    "İstanbul",
    "straße",
    "ΟΔΟΣ ΣΑΣ",
    "ﬁnd ﬃ",
    "½ ㎒ Ⅷ",
    "ＦＵＬＬ",
    "x²",
  ],
  ...[
    "한국어",
    "\u1112\u1161\u11ab",
    "日本語 中文",
    "カ\u3099",
    "हिन्दी",
    "ไทย",
    "שָׁלוֹם",
    "العربية",
    "Ω\u2126K\u212a",
  ],
  ...[
    "😀",
    "👩‍👩‍👧",
    "🇩🇪",
    "e\u0323\u0307",
    "\u0301",
    "\u00ad",
    "\u200b",
    "\ufeff",
    "\u0000",
    "\ufffd",
    "\ud83d",
    "▁",
    "Ġ",
    "##s",
  ],
  ...["[UNK]", "[MASK]", "[SEP] x", "<0xE2>", "</w>", "´", "�"],
];

const texts = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...FRAGMENTS) },
      { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 8 }) },
      { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 4 }) },
      { weight: 2, arbitrary: fc.constant(" ") },
    ),
    { maxLength: 14 },
  )
  .map((parts) => parts.join(""));

describe.each(KINDS)("characters of tokens: %s", (_, json) => {
  const kind = kindOf(json);

  test("ascend, lie in the text, are those of the token and leave out no letter", () => {
    fc.assert(
      fc.property(texts, fc.boolean(), (text, lower) => checkSpans(kind, text, lower)),
      { numRuns: 100 },
    );
  });

  test("in texts that tokenizers change", () => {
    for (const fragment of FRAGMENTS) {
      checkSpans(kind, fragment);
      checkSpans(kind, `the ${fragment} cat ${fragment}`);
    }
  });
});

describe("tokens and their characters", () => {
  const words = (json: object, text: string): Array<readonly [string, string | null]> =>
    locate(kindOf(json), text).map(({ token, start, end }) => [
      token,
      start < 0 ? null : text.slice(start, end),
    ]);

  test("pieces of words, accents and unknown words", () => {
    expect(words(tinyTokenizer(), "The  CÄTS,\n😀cat cat runNing")).toEqual([
      ["the", "The"],
      ["cat", "CÄT"],
      ["##s", "S"],
      [",", ","],
      ["[UNK]", "😀cat"],
      ["cat", "cat"],
      ["run", "run"],
      ["##ning", "Ning"],
    ]);
  });

  test("a combining accent belongs to its letter", () => {
    expect(words(tinyTokenizer(), "cats e\u0301")).toEqual([
      ["cat", "cat"],
      ["##s", "s"],
      ["e", "e\u0301"],
    ]);
  });

  test("bytes of one character share it; the space before a word is no part of it", () => {
    expect(words(byteLevelTokenizer(), "the café cat  😀")).toEqual([
      ["the", "the"],
      ["Ġca", "ca"],
      ["f", "f"],
      ["Ã©", "é"],
      ["Ġcat", "cat"],
      ["Ġ", " "],
      ["Ġ", " "],
      ["ð", "😀"],
      ["Ł", "😀"],
      ["ĺ", "😀"],
      ["Ģ", "😀"],
    ]);
  });

  test("Unigram pieces, unknown ones side by side as one", () => {
    expect(words(unigramTokenizer(), "the cats ☃☃ ﬁ")).toEqual([
      ["▁the", "the"],
      ["▁cat", "cat"],
      ["s", "s"],
      ["▁", " "],
      ["<unk>", "☃☃"],
      ["▁", " "],
      ["f", "ﬁ"],
      ["i", "ﬁ"],
    ]);
  });

  test("bytes for a character that is not in the vocabulary", () => {
    expect(words(fallbackTokenizer(), "the é cat")).toEqual([
      ["▁the", "the"],
      ["▁", " "],
      ["<0xC3>", "é"],
      ["<0xA9>", "é"],
      ["▁", " "],
      ["cat", "cat"],
    ]);
  });

  test("added tokens in the text", () => {
    expect(words(tinyTokenizer(), "cat [MASK] dog")).toEqual([
      ["cat", "cat"],
      ["[MASK]", "[MASK]"],
      ["dog", "dog"],
    ]);
    const stripping = byteLevelTokenizer({ added: [{ content: "<mask>", lstrip: true, rstrip: true }] });
    expect(words(stripping, "the <mask> cat")).toEqual([
      ["the", "the"],
      ["<mask>", "<mask>"],
      ["c", "c"],
      ["a", "a"],
      ["t", "t"],
    ]);
  });

  test("nothing after a place where the tokenizer's text is not that of the source", () => {
    const replacing = endOfWordTokenizer({
      normalizer: { type: "Replace", pattern: { String: "dog" }, content: "cat" },
    });
    expect(words(replacing, "th dog cat")).toEqual([
      ["t", "t"],
      ["h</w>", "h"],
      ["cat</w>", null],
      ["cat</w>", null],
    ]);
  });
});

describe("a text as the model reads it", () => {
  const newFolder = temporaryFolders();
  let base: ModelSettings;

  beforeAll(async () => {
    const folder = await newFolder();
    const config = {
      query_prefix: "[Q] ",
      document_prefix: "[D] ",
      query_length: 9,
      document_length: 10,
      embedding_dim: 16,
      do_query_expansion: false,
      skiplist_words: [".", ","],
    };
    await writeTinyModel(folder, { "onnx_config.json": config });
    base = await loadModelSettings(folder);
  });

  const load = (changes: Partial<ModelSettings> = {}) => TextTokenizer.load({ ...base, ...changes });
  const shown = ({ tokenIds, parts, starts, ends }: LocatedText, text: string): unknown[] =>
    Array.from(tokenIds, (id, i) => [
      TINY_TOKENS[id],
      parts[i],
      starts[i]! < 0 ? null : text.slice(starts[i], ends[i]),
    ]);
  const { special, text: own, expansion } = TokenPart;

  test("documents: special tokens have no characters, the skiplist is left out", async () => {
    const text = "  The Cat, sat.\n";
    expect(shown((await load()).locateDocument(text), text)).toEqual([
      ["[CLS]", special, null],
      ["[D] ", special, null],
      ["the", own, "The"],
      ["cat", own, "Cat"],
      ["sat", own, "sat"],
      ["[SEP]", special, null],
    ]);
  });

  test("prompts have no characters", async () => {
    const text = " Cats";
    expect(shown((await load({ documentPrompt: "dog: " })).locateDocument(text), text)).toEqual([
      ["[CLS]", special, null],
      ["[D] ", special, null],
      ["dog", special, null],
      [":", special, null],
      ["cat", own, "Cat"],
      ["##s", own, "s"],
      ["[SEP]", special, null],
    ]);
  });

  test("queries: expansion is told apart", async () => {
    const settings = { strategy: "fixed", length: 8, attend: false, tokenId: tinyId("[MASK]") } as const;
    const tokenizer = await load({ expansion: settings, lowercase: true });
    expect(shown(tokenizer.locateQuery("CAT ."), "CAT .")).toEqual([
      ["[CLS]", special, null],
      ["[Q] ", special, null],
      ["cat", own, "CAT"],
      [".", own, "."],
      ["[SEP]", special, null],
      ...new Array(3).fill(["[MASK]", expansion, null]),
    ]);
  });

  test("have a token for each vector, whatever the text and its length", async () => {
    const [tokenizer, prompted] = [
      await load(),
      await load({ documentPrompt: "dog: ", documentMarker: null }),
    ];
    fc.assert(
      fc.property(texts, (text) => {
        for (const each of [tokenizer, prompted]) {
          for (const [encoded, located] of [
            [each.encodeDocument(text), each.locateDocument(text)],
            [each.encodeQuery(text), each.locateQuery(text)],
          ] as const) {
            expect([...located.tokenIds]).toEqual(
              Array.from(encoded.kept, (position) => encoded.ids[position]),
            );
            expect(located.parts.filter((part) => part === own)).toHaveLength(encoded.contentTokens);
          }
        }
      }),
      { numRuns: 60, examples: [["▁"], [" ▁ "], [""]] },
    );
  });
});
