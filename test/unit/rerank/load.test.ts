import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Reranker } from "../../../src/rerank/index.js";
import { loadReranker } from "../../../src/rerank/load.js";
import { RerankMonitor } from "../../../src/rerank/monitor.js";
import type { DocumentScores, ScoreRequest, Scorer } from "../../../src/rerank/scorer.js";
import { ScoringReranker } from "../../../src/rerank/scoring-reranker.js";
import { tempFolder } from "../../support/temp-folder.js";

const folder = tempFolder();

/** Prefers short texts; counts what it closes. */
class ShortScorer implements Scorer {
  readonly name = "short";
  readonly model = "";
  readonly dependsOn = "document";
  readonly batches = "all";
  readonly defaultMaxTokens = 100;
  closed = 0;

  async fingerprint(): Promise<string> {
    return "short";
  }

  async score(requests: readonly ScoreRequest[]): Promise<DocumentScores[]> {
    return requests.map(({ documents }) => ({ scores: documents.map(({ text }) => -text.length) }));
  }

  async close(): Promise<void> {
    this.closed++;
  }
}

async function modelFolder(name: string, files: Readonly<Record<string, unknown>>): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  for (const [file, content] of Object.entries(files)) {
    await writeFile(join(path, file), JSON.stringify(content));
  }
  return path;
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("rerankers by name", () => {
  it("are what their kind says", async () => {
    vi.stubEnv("COHERE_API_KEY", "key");
    vi.stubEnv("JINA_API_KEY", "key");
    vi.stubEnv("VOYAGE_API_KEY", "key");
    for (const [spec, expected] of [
      ["late", { name: "late", model: "maxsim-small-en-v1" }],
      ["maxsim-small-en-v1", { name: "late", model: "maxsim-small-en-v1" }],
      ["cohere:rerank-v9", { name: "cohere", model: "rerank-v9" }],
      ["jina", { name: "jina" }],
      ["voyage", { name: "voyage" }],
      ["tei:http://127.0.0.1:9", { name: "tei" }],
      ["llm:some-model", { name: "llm", model: "some-model" }],
      ["llm-pairwise:some-model", { name: "llm" }],
      ["llm-pointwise:some-model", { name: "llm" }],
      ["cohere@10+jina@5", { name: "chain" }],
      ["late@10", { name: "chain" }],
    ] as const) {
      await using reranker = await Reranker.load(spec, { threads: 1 });
      expect(reranker, spec).toMatchObject(expected);
    }
  });

  it("differ by their methods", async () => {
    const prints = await Promise.all(
      ["llm:m", "llm-pairwise:m", "llm-pointwise:m", "llm:n"].map(async (spec) => {
        await using reranker = await loadReranker(spec);
        return reranker.fingerprint();
      }),
    );
    expect(new Set(prints).size).toBe(4);
  });

  it("are stages of a chain, each with its depth", async () => {
    const scorer = new ShortScorer();
    const late = () => new ScoringReranker(scorer);
    const documents = ["aaaa", "aaa", "aa", "a"];
    await using chain = await loadReranker("late@3", { late });
    expect((await chain.rerank("q", documents)).map(({ index }) => index)).toEqual([2, 1, 0, 3]);
    await using both = await loadReranker("late@2+late@4", { late });
    expect((await both.rerank("q", documents)).map(({ index }) => index)).toEqual([3, 2, 1, 0]);
    await using single = await loadReranker("late", { late });
    expect(single.name).toBe("short");
    await using hurried = await loadReranker("late", { late, budgetMs: 10_000 });
    expect(hurried.name).toBe("chain");
  });

  it("are counted by a monitor, stages and chain", async () => {
    const late = () => new ScoringReranker(new ShortScorer());
    const monitor = new RerankMonitor();
    await using chain = await loadReranker("late@2+late", { late, monitor });
    await chain.rerank("q", ["aa", "a"]);
    await using single = await loadReranker("late", { late, monitor });
    await single.rerank("q", ["aa", "a"]);
    const counted = monitor.toJSON().rerankers.map(({ reranker, requests }) => [reranker, requests]);
    expect(new Map(counted as [string, number][])).toEqual(
      new Map([
        ["short", 3],
        ["chain", 1],
      ]),
    );
  });

  it("are closed when a later stage cannot be had", async () => {
    vi.stubEnv("COHERE_API_KEY", undefined);
    vi.stubEnv("CO_API_KEY", undefined);
    const scorer = new ShortScorer();
    const late = () => new ScoringReranker(scorer);
    await expect(loadReranker("late@5+cohere", { late })).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    expect(scorer.closed).toBe(1);
  });
});

describe("a plain name or folder", () => {
  it("is told apart by its files", async () => {
    const cross = await modelFolder("cross", {
      "config.json": { architectures: ["BertForSequenceClassification"] },
      "modules.json": [],
    });
    // What is missing is named by the loader of cross-encoders, not by that of late interaction.
    await expect(loadReranker(cross)).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: expect.stringContaining(cross),
    });
    const late = await modelFolder("late", { "config.json": {}, "onnx_config.json": {} });
    await expect(loadReranker(late)).rejects.toMatchObject({ message: expect.stringContaining(late) });
    const neither = await modelFolder("neither", { "config.json": { architectures: ["GPT2LMHeadModel"] } });
    await expect(loadReranker(neither)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(/neither do not say what kind of reranker/),
      hint: `Say what it is: late:${neither}, or cross-encoder:${neither}`,
    });
    const broken = join(folder, "broken");
    await mkdir(broken);
    await writeFile(join(broken, "config.json"), "{");
    await expect(loadReranker(broken)).rejects.toMatchObject({ code: "MODEL_INVALID" });
  });

  it("that nobody knows is a wrong spec", async () => {
    await expect(loadReranker("coher")).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(/no kind and no model "coher", did you mean cohere\?/),
      hint: expect.stringContaining("late[:model]"),
    });
    await expect(loadReranker("./nowhere")).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
  });
});
