/** Reranking with a cross-encoder: a model that reads query and document together and gives one score. */
import { createHash } from "node:crypto";
import { checkString } from "../common/check.js";
import {
  type Activation,
  type CrossEncoderSettings,
  loadCrossEncoderSettings,
} from "../models/cross-encoder-settings.js";
import { modelFileDigests } from "../models/fingerprint.js";
import type { ModelPrecision } from "../models/graph.js";
import { resolveModel } from "../models/registry.js";
import { PairPool, type PairScore } from "../workers/pair-pool.js";
import type { DocumentScores, ScoreOptions, ScoreRequest, Scorer } from "./scorer.js";
import { type ScoringOptions, ScoringReranker } from "./scoring-reranker.js";
import type { Reranker } from "./types.js";

export interface CrossEncoderOptions extends ScoringOptions {
  /** A model folder or a Hugging Face repository id `organization/name[@revision]`. */
  readonly model: string;
  /**
   * Threads, each of which holds the weights. Default: the processors of this machine, at most 16 and as many as take 4 GiB.
   * Scores do not depend on it.
   */
  readonly threads?: number;
  /**
   * What scores are: "sigmoid" gives 0 to 1, "identity" logits. The order is the same. Default: what the model's config says, else
   * "sigmoid".
   */
  readonly activation?: Activation;
  /**
   * Positions of query and document part together, special tokens included, at least 16. Default: the model's limit, at most 1,024;
   * time and memory of a part grow with its square.
   */
  readonly maxLength?: number;
  /** Default "auto": int8 where the model has it. */
  readonly precision?: ModelPrecision;
  /** For the download of a model that is not there yet. */
  readonly signal?: AbortSignal;
}

/** Changes when scores of the same files and settings change. */
const RECIPE = "maxsim cross-encoder 1";
const DEFAULT_MAX_TOKENS = 4096;

class CrossEncoderScorer implements Scorer {
  readonly name = "cross-encoder";
  readonly dependsOn = "document";
  readonly batches = "all";
  readonly defaultMaxTokens = DEFAULT_MAX_TOKENS;
  readonly model: string;
  private digest: Promise<string> | undefined;

  constructor(
    private readonly settings: CrossEncoderSettings,
    private readonly pool: PairPool,
  ) {
    this.model = settings.name;
  }

  fingerprint(): Promise<string> {
    this.digest ??= this.computeFingerprint();
    return this.digest;
  }

  async score(
    requests: readonly ScoreRequest[],
    { maxTokensPerDocument, signal }: ScoreOptions,
  ): Promise<DocumentScores[]> {
    const pairs = requests.flatMap(({ query, documents }) => {
      return documents.map(({ text }) => ({ query, document: text }));
    });
    const scores = await this.pool.score(pairs, { maxTokens: maxTokensPerDocument, signal });
    let at = 0;
    return requests.map(({ documents }) => {
      const own = scores.slice(at, at + documents.length);
      at += documents.length;
      return this.scoresOf(own, maxTokensPerDocument);
    });
  }

  close(): Promise<void> {
    return this.pool.close();
  }

  private scoresOf(own: readonly PairScore[], maxTokens: number): DocumentScores {
    const long = own.filter(({ documentCut }) => documentCut).length;
    const warnings = long === 0 ? [] : [`${long} of ${own.length} documents were cut to ${maxTokens} tokens`];
    if (own.some(({ queryCut }) => queryCut)) {
      warnings.push(
        `the query was cut to leave room for documents: the model takes ${this.settings.maxLength} positions`,
      );
    }
    const { activation } = this.settings;
    return {
      scores: own.map(({ logit }) => (activation === "sigmoid" ? sigmoid(logit) : logit)),
      // Queries and documents are cut the same way every time.
      keep: true,
      warnings,
      usage: { inputTokens: own.reduce((sum, { positions }) => sum + positions, 0) },
    };
  }

  private async computeFingerprint(): Promise<string> {
    const { labels, activation, maxLength, template, output } = this.settings;
    const files = await modelFileDigests(this.settings);
    return createHash("sha256")
      .update(JSON.stringify([RECIPE, files, labels, activation, maxLength, template, output]))
      .digest("hex");
  }
}

/**
 * A reranker with a cross-encoder in ONNX: any checkpoint for sequence classification with one or two labels. Scores do not depend
 * on the other documents. Documents that do not fit beside the query are read in parts, the best of which counts.
 *
 * @throws MaxsimError MODEL_NOT_FOUND, MODEL_INVALID (a ColBERT or embedding model, a damaged folder), NETWORK, ABORTED,
 * INVALID_ARGUMENT. Calls also throw MODEL_RUNTIME_MISSING and WORKER_FAILED.
 */
export async function crossEncoderReranker(options: CrossEncoderOptions): Promise<Reranker> {
  const { model, threads, activation, maxLength, precision, signal, logger } = options;
  const folder = await resolveModel(checkString("model", model), { signal, precision });
  const settings = await loadCrossEncoderSettings(folder, {
    ...(activation === undefined ? {} : { activation }),
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(precision === undefined ? {} : { precision }),
  });
  for (const note of settings.notes) logger?.warn(`${settings.name}: ${note}`);
  return new ScoringReranker(
    new CrossEncoderScorer(settings, PairPool.create(settings, { threads, logger })),
    options,
  );
}

/** 1 / (1 + e^-x), in doubles: scores of single precision would be 1 from a logit of 17 on. */
function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
