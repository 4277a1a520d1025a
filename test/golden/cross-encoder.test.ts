/**
 * Tiny cross-encoders of each layout against ids and logits that the tokenizers library and onnxruntime gave in Python;
 * scripts/make-cross-encoder-golden.py made them.
 */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type CrossEncoderSettings,
  loadCrossEncoderSettings,
} from "../../src/models/cross-encoder-settings.js";
import { PairSession } from "../../src/models/pair-session.js";
import { PairTokenizer } from "../../src/models/pair-tokenizer.js";
import { crossEncoderReranker } from "../../src/rerank/cross-encoder.js";
import { tempFolder } from "../support/temp-folder.js";
import { type TinyCrossEncoder, writeTinyCrossEncoder } from "../support/tiny-cross-encoder.js";

const MODELS: Readonly<Record<string, TinyCrossEncoder>> = {
  bert: {},
  "bert-int8": { quantized: true },
  "bert-processing": { kind: "bert-processing" },
  "bert-two-labels": { labels: 2 },
  distilbert: { kind: "distilbert" },
  roberta: { kind: "roberta" },
  "xlm-roberta": { kind: "xlm-roberta" },
};

interface GoldenPair {
  readonly query: string;
  readonly document: string;
  readonly ids: readonly number[];
  readonly types: readonly number[];
  readonly logits: readonly number[];
}

const root = process.env.CROSS_ENCODER_MODELS ?? tempFolder();
let golden: ReadonlyMap<string, readonly GoldenPair[]>;

beforeAll(async () => {
  for (const [name, model] of Object.entries(MODELS)) {
    await mkdir(join(root, name), { recursive: true });
    await writeTinyCrossEncoder(join(root, name), model);
  }
  const file = await readFile(new URL("./cross-encoder.json", import.meta.url), "utf8");
  const entries = JSON.parse(file) as ReadonlyArray<{ model: string; pairs: readonly GoldenPair[] }>;
  golden = new Map(entries.map(({ model, pairs }) => [model, pairs]));
});

/** Of two labels, the second's lead. */
function logitOf({ logits }: GoldenPair): number {
  return logits.length === 1 ? logits[0]! : logits[1]! - logits[0]!;
}

test("there are pairs of every model", () => {
  expect([...golden.keys()].sort()).toEqual(Object.keys(MODELS).sort());
});

describe.each(Object.keys(MODELS))("%s", (name) => {
  let settings: CrossEncoderSettings;
  let tokenizer: PairTokenizer;
  let session: PairSession;

  beforeAll(async () => {
    settings = await loadCrossEncoderSettings(join(root, name));
    tokenizer = await PairTokenizer.load(settings);
    session = await PairSession.load(settings);
  });

  afterAll(async () => {
    await session.close();
  });

  test("joins, types and cuts pairs as the tokenizers library does", () => {
    for (const { query, document, ids, types } of golden.get(name)!) {
      const { parts } = tokenizer.encode(
        tokenizer.tokenizeQuery(query, 4096),
        tokenizer.tokenizeDocument(document, 4096),
      );
      expect([...parts[0]!.ids], `${query} / ${document}`).toEqual(ids);
      // A graph without token types is not given any.
      if (name.startsWith("bert")) expect([...parts[0]!.types]).toEqual(types);
    }
  });

  test("gives the same logits", async () => {
    for (const pair of golden.get(name)!) {
      const encoded = { ids: Int32Array.from(pair.ids), types: Uint8Array.from(pair.types) };
      expect((await session.run([encoded]))[0]).toBeCloseTo(logitOf(pair), 4);
    }
  });

  test("gives the same scores from end to end, of pairs that are not split", async () => {
    await using reranker = await crossEncoderReranker({
      model: join(root, name),
      threads: 1,
      activation: "identity",
    });
    const whole = golden.get(name)!.filter(({ ids }) => ids.length < settings.maxLength);
    expect(whole.length).toBeGreaterThan(2);
    const outcomes = await reranker.rerankBatch(
      whole.map(({ query, document }) => ({ query, documents: [document] })),
    );
    for (const [i, pair] of whole.entries()) {
      expect(outcomes[i]!.results[0]!.score).toBeCloseTo(logitOf(pair), 4);
    }
  });
});
