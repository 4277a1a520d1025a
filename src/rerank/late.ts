/** The reranker of late-interaction models: ColBERT and its relatives, the bundled one by default. */
import { createHash } from "node:crypto";
import { checkString } from "../common/check.js";
import { silentLogger } from "../common/logger.js";
import { modelFingerprint } from "../models/fingerprint.js";
import { loadModelSettings } from "../models/load-settings.js";
import { resolveModel } from "../models/registry.js";
import type { ModelSettings } from "../models/settings.js";
import { TextTokenizer } from "../models/tokenizer.js";
import { EncodePool } from "../workers/encode-pool.js";
import { cutWarnings, LATE_MAX_TOKENS, LATE_RECIPE, type LateModel, scoreTexts } from "./late-scorer.js";
import type { DocumentScores, ScoreOptions, ScoreRequest, Scorer } from "./scorer.js";
import { type ScoringOptions, ScoringReranker } from "./scoring-reranker.js";
import type { Reranker } from "./types.js";

export interface LateOptions extends ScoringOptions {
  /** A folder, a bundled name or a Hugging Face repository id. Default: "default", the bundled model. */
  readonly model?: string;
  /** Threads that encode documents. Default: the processors of this machine, at most 16. */
  readonly threads?: number;
  /** For the download of a model that is not there yet. */
  readonly signal?: AbortSignal;
}

/**
 * Scores are MaxSim, as those of a search with the same model: the sum over the query's tokens of the best similarity, each at most
 * 1. The model's threads start with the first request.
 * Errors: MODEL_NOT_FOUND, MODEL_INVALID, NETWORK, ABORTED, INVALID_ARGUMENT; of requests also MODEL_RUNTIME_MISSING, WORKER_FAILED.
 */
export async function lateReranker(options: LateOptions = {}): Promise<Reranker> {
  const { model = "default", threads, signal, logger = silentLogger } = options;
  const settings = await loadModelSettings(await resolveModel(checkString("model", model), { signal }));
  for (const note of settings.notes) logger.warn(`${settings.name}: ${note}`);
  const pool = await EncodePool.create(settings, { logger, ...(threads === undefined ? {} : { threads }) });
  return new ScoringReranker(new LateScorer(settings, pool), options);
}

class LateScorer implements Scorer, LateModel {
  readonly name = "late";
  readonly model: string;
  readonly dependsOn = "document";
  readonly batches = "all";
  readonly defaultMaxTokens = LATE_MAX_TOKENS;
  private tokenizer: Promise<TextTokenizer> | undefined;

  constructor(
    private readonly settings: ModelSettings,
    private readonly pool: EncodePool,
  ) {
    this.model = settings.name;
  }

  async encoder(): Promise<EncodePool> {
    return this.pool;
  }

  documentTokenizer(): Promise<TextTokenizer> {
    this.tokenizer ??= TextTokenizer.load(this.settings);
    return this.tokenizer;
  }

  async fingerprint(): Promise<string> {
    const model = await modelFingerprint(this.settings);
    return createHash("sha256")
      .update(JSON.stringify([LATE_RECIPE, model]))
      .digest("hex");
  }

  async score(
    requests: readonly ScoreRequest[],
    { maxTokensPerDocument: maxTokens, signal }: ScoreOptions,
  ): Promise<DocumentScores[]> {
    const tasks = requests.map(({ query, documents }) => {
      return { query, texts: documents.map(({ text }) => text) };
    });
    const scored = await scoreTexts(tasks, this, { maxTokens, signal });
    return scored.map((result) => {
      return { scores: result.scores, warnings: cutWarnings(result, maxTokens), keep: true };
    });
  }

  close(): Promise<void> {
    return this.pool.close();
  }
}
