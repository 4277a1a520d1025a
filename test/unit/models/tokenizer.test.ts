import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { loadModelSettings } from "../../../src/models/load-settings.js";
import type { ModelSettings } from "../../../src/models/settings.js";
import { TextTokenizer } from "../../../src/models/tokenizer.js";
import { temporaryFolders } from "../../support/temp-folder.js";
import { tinyId, writeTinyModel } from "../../support/tiny-model.js";

const newFolder = temporaryFolders();
let base: ModelSettings;

beforeAll(async () => {
  const folder = await newFolder();
  const config = {
    query_prefix: "[Q] ",
    document_prefix: "[D] ",
    query_length: 8,
    document_length: 10,
    embedding_dim: 16,
    do_query_expansion: false,
    skiplist_words: [".", ","],
  };
  await writeTinyModel(folder, { "onnx_config.json": config });
  base = await loadModelSettings(folder);
});

const load = (changes: Partial<ModelSettings> = {}) => TextTokenizer.load({ ...base, ...changes });
const ids = (...tokens: string[]): number[] => tokens.map(tinyId);

describe("documents", () => {
  test("marker at position 1, skiplist dropped, special tokens kept", async () => {
    const encoded = (await load()).encodeDocument("The cat, running.");
    expect([...encoded.ids]).toEqual(ids("[CLS]", "[D] ", "the", "cat", ",", "run", "##ning", ".", "[SEP]"));
    expect([...encoded.kept]).toEqual([0, 1, 2, 3, 5, 6, 8]);
    expect([...encoded.attention]).toEqual(new Array(9).fill(1));
    expect(encoded).toMatchObject({ contentTokens: 4, truncated: false });
  });

  test("a text that just fits is whole; one token more is cut, and [SEP] stays", async () => {
    const tokenizer = await load();
    expect(tokenizer.documentBudget).toBe(7);
    const full = tokenizer.encodeDocument("cat ".repeat(7));
    expect(full.ids).toHaveLength(10);
    expect(full.truncated).toBe(false);
    const cut = tokenizer.encodeDocument("cat ".repeat(8));
    expect([...cut.ids]).toEqual([...full.ids]);
    expect(cut.ids.at(-1)).toBe(tinyId("[SEP]"));
    expect(cut.truncated).toBe(true);
  });

  test("an empty text has its special tokens alone", async () => {
    const encoded = (await load()).encodeDocument("  ");
    expect([...encoded.ids]).toEqual(ids("[CLS]", "[D] ", "[SEP]"));
    expect(encoded.contentTokens).toBe(0);
  });

  test("only punctuation has no content", async () => {
    expect((await load()).encodeDocument("., ...").contentTokens).toBe(0);
  });

  test("without a marker there is one position more", async () => {
    const tokenizer = await load({ documentMarker: null });
    expect(tokenizer.documentBudget).toBe(8);
    expect([...tokenizer.encodeDocument("cat").ids]).toEqual(ids("[CLS]", "cat", "[SEP]"));
  });

  test("a prompt comes before the text, counts as positions and is no content", async () => {
    const tokenizer = await load({ documentPrompt: "dog: " });
    expect(tokenizer.documentBudget).toBe(5);
    const encoded = tokenizer.encodeDocument("cat");
    expect([...encoded.ids]).toEqual(ids("[CLS]", "[D] ", "dog", ":", "cat", "[SEP]"));
    expect(encoded.contentTokens).toBe(1);
  });

  test("never longer than the limit, and always with its frame", async () => {
    const tokenizer = await load();
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), (text) => {
        const { ids: found, kept, contentTokens, truncated } = tokenizer.encodeDocument(text);
        expect(found.length).toBeLessThanOrEqual(10);
        expect([found[0], found[1], found.at(-1)]).toEqual(ids("[CLS]", "[D] ", "[SEP]"));
        expect(contentTokens).toBeLessThanOrEqual(kept.length - 3);
        expect(truncated).toBe(tokenizer.countTokens(text.trim()) > tokenizer.documentBudget);
      }),
    );
  });
});

describe("queries", () => {
  test("keep punctuation", async () => {
    const encoded = (await load()).encodeQuery("cat.");
    expect([...encoded.ids]).toEqual(ids("[CLS]", "[Q] ", "cat", ".", "[SEP]"));
    expect([...encoded.kept]).toEqual([0, 1, 2, 3, 4]);
  });

  test("fixed expansion fills up, unattended or attended, and every position is kept", async () => {
    const expansion = { strategy: "fixed", length: 8, tokenId: tinyId("[MASK]") } as const;
    const unattended = (await load({ expansion: { ...expansion, attend: false } })).encodeQuery("cat");
    expect([...unattended.ids]).toEqual([
      ...ids("[CLS]", "[Q] ", "cat", "[SEP]"),
      ...new Array(4).fill(tinyId("[MASK]")),
    ]);
    expect([...unattended.attention]).toEqual([1, 1, 1, 1, 0, 0, 0, 0]);
    expect([...unattended.kept]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(unattended.contentTokens).toBe(1);
    const attended = (await load({ expansion: { ...expansion, attend: true } })).encodeQuery("cat");
    expect([...attended.attention]).toEqual(new Array(8).fill(1));
  });

  test("fixed expansion overrides the query length in both directions", async () => {
    const expansion = { strategy: "fixed", length: 6, attend: false, tokenId: tinyId("[MASK]") } as const;
    const tokenizer = await load({ expansion, queryLength: 8 });
    expect(tokenizer.encodeQuery("cat ".repeat(20)).ids).toHaveLength(6);
    const wider = await load({ expansion: { ...expansion, length: 12 }, queryLength: 8 });
    expect(wider.encodeQuery("cat").ids).toHaveLength(12);
  });

  test("minimum expansion is a floor, not a limit", async () => {
    const expansion = { strategy: "min", length: 5, attend: false, tokenId: tinyId("[MASK]") } as const;
    const tokenizer = await load({ expansion });
    expect(tokenizer.encodeQuery("cat").ids).toHaveLength(5);
    expect(tokenizer.encodeQuery("cat ".repeat(4)).ids).toHaveLength(7);
    const cut = tokenizer.encodeQuery("cat ".repeat(6));
    expect(cut.ids).toHaveLength(8);
    expect(cut.truncated).toBe(true);
    expect(cut.ids.at(-1)).toBe(tinyId("[SEP]"));
  });
});

test("lower-casing happens when the settings ask for it", async () => {
  // The vocabulary has the marker "[D] " as an added token, which lower-casing turns into plain characters.
  expect((await load({ lowercase: true })).countTokens("[D] ")).toBe(3);
  expect((await load({ lowercase: false })).countTokens("[D] ")).toBe(1);
});

test("token texts", async () => {
  const tokenizer = await load();
  expect(tokenizer.tokenText(tinyId("##ning"))).toBe("##ning");
  expect(tokenizer.tokenText(99_999)).toBe("[id 99999]");
});

test("refuses lengths that leave no room for text", async () => {
  await expect(load({ queryLength: 3 })).rejects.toMatchObject({
    code: "MODEL_INVALID",
    message: expect.stringContaining("query length 3"),
  });
  await expect(load({ documentPrompt: "cat ".repeat(7) })).rejects.toMatchObject({ code: "MODEL_INVALID" });
});

test("a text of ten megabytes costs about as much as a passage", async () => {
  const tokenizer = await load({ documentLength: 256, queryLength: 64 });
  const long = "the cat sat on the mat. ".repeat(420_000);
  const short = long.slice(0, 1_600);
  const encoded = tokenizer.encodeDocument(long);
  expect([...encoded.ids]).toEqual([...tokenizer.encodeDocument(short).ids]);
  expect(encoded.truncated).toBe(true);
  const start = performance.now();
  for (let i = 0; i < 10; i++) tokenizer.encodeDocument(long);
  // Whole, each of them takes seconds.
  expect(performance.now() - start).toBeLessThan(1_000);
});

test("a cut inside a word does not change the tokens before it", async () => {
  const tokenizer = await load({ documentLength: 40 });
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("cat", " ", "running", "日本", "😀", "a.b", "\n", "x".repeat(90)), {
        maxLength: 400,
      }),
      (parts) => {
        const text = parts.join("");
        const whole = tokenizer.encodeDocument(text);
        const padded = tokenizer.encodeDocument(`${text} ${"dog ".repeat(2_000)}`);
        const n = whole.truncated ? whole.ids.length : whole.ids.length - 1;
        expect([...padded.ids.subarray(0, n)]).toEqual([...whole.ids.subarray(0, n)]);
      },
    ),
    { numRuns: 50 },
  );
});
