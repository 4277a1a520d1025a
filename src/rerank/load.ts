/** Rerankers by name: what the command line and settings files ask for. */
import * as z from "zod/mini";
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import type { Logger } from "../common/logger.js";
import { ModelFolder } from "../models/model-folder.js";
import { resolveModel } from "../models/registry.js";
import type { ChainStage } from "./chain.js";
import { monitored, type RerankMonitor } from "./monitor.js";
import type { ScoreCache } from "./score-cache.js";
import type { ScoringOptions } from "./scoring-reranker.js";
import { invalidSpec, meant, parseRerankerSpec, type StageSpec } from "./spec.js";
import type { Reranker } from "./types.js";

export interface LoadRerankerOptions {
  /** Threads of models that run here. Default: what the machine offers. */
  readonly threads?: number;
  /** Where scores are kept from one call to the next; stays the caller's to close. Default: nowhere. */
  readonly cache?: ScoreCache;
  readonly logger?: Logger;
  /**
   * "error" throws when ranking fails; "first-stage" keeps the order that there was, with a warning. Default: "error", but
   * "first-stage" for a language model by itself.
   */
  readonly onFailure?: "error" | "first-stage";
  /** Milliseconds for a call; stages that would take longer are left out, with a warning. Default: none. */
  readonly budgetMs?: number;
  /** What `late` without a model stands for, such as `() => index.reranker()`. Default: the model that ships with the package. */
  readonly late?: () => Reranker;
  /** Counts what the reranker does, of a chain also what each stage does. */
  readonly monitor?: RerankMonitor;
  /** For the download of a model that is not there yet. */
  readonly signal?: AbortSignal;
}

/**
 * The reranker of a spec (see SPEC_FORMS): `late`, `cross-encoder:model`, `cohere`, `late@200+cohere@50`, ... Keys and addresses of
 * services come from the environment, see their pages.
 * Errors: INVALID_ARGUMENT for a wrong spec, UNAUTHORIZED for a service without a key, MODEL_NOT_FOUND, MODEL_INVALID, NETWORK, ABORTED.
 */
export async function loadReranker(spec: string, options: LoadRerankerOptions = {}): Promise<Reranker> {
  const stages = parseRerankerSpec(spec);
  const { budgetMs, onFailure, logger } = options;
  const [only] = stages;
  if (stages.length === 1 && only!.depth === undefined && budgetMs === undefined) {
    return loadStage(spec, only!, options, onFailure);
  }
  const loaded: ChainStage[] = [];
  try {
    for (const stage of stages) {
      // A chain keeps the order of before a stage that fails, and can say which one it was.
      const reranker = await loadStage(spec, stage, options, "error");
      loaded.push({ reranker, ...(stage.depth === undefined ? {} : { depth: stage.depth }) });
    }
    const { chainReranker } = await import("./chain.js");
    const chain = chainReranker(loaded, {
      ...(budgetMs === undefined ? {} : { budgetMs }),
      ...(onFailure === undefined ? {} : { onFailure }),
      ...(logger === undefined ? {} : { logger }),
    });
    return options.monitor === undefined ? chain : monitored(chain, options.monitor);
  } catch (error) {
    await Promise.all(loaded.map(({ reranker }) => reranker.close()));
    throw error;
  }
}

const LLM_METHODS = { llm: "listwise", "llm-pairwise": "pairwise", "llm-pointwise": "pointwise" } as const;

async function loadStage(
  spec: string,
  stage: StageSpec,
  options: LoadRerankerOptions,
  onFailure: ScoringOptions["onFailure"],
): Promise<Reranker> {
  const reranker = await loadBareStage(spec, stage, options, onFailure);
  return options.monitor === undefined ? reranker : monitored(reranker, options.monitor);
}

async function loadBareStage(
  spec: string,
  stage: StageSpec,
  { threads, cache, logger, late, signal }: LoadRerankerOptions,
  onFailure: ScoringOptions["onFailure"],
): Promise<Reranker> {
  const scoring = {
    ...(cache === undefined ? {} : { cache }),
    ...(logger === undefined ? {} : { logger }),
    ...(onFailure === undefined ? {} : { onFailure }),
  };
  const local = {
    ...scoring,
    ...(threads === undefined ? {} : { threads }),
    ...(signal === undefined ? {} : { signal }),
  };
  const { kind, model } =
    stage.kind === "model"
      ? await describeModel(spec, stage, signal)
      : { kind: stage.kind, model: stage.model };
  const named = model === undefined ? {} : { model };
  switch (kind) {
    case "late":
      if (late !== undefined && model === undefined) return late();
      return (await import("./late.js")).lateReranker({ ...local, ...named });
    case "cross-encoder":
      return (await import("./cross-encoder.js")).crossEncoderReranker({ ...local, model: model ?? "" });
    case "cohere":
      return (await import("./services/cohere.js")).cohereReranker({ ...scoring, ...named });
    case "jina":
      return (await import("./services/jina.js")).jinaReranker({ ...scoring, ...named });
    case "voyage":
      return (await import("./services/voyage.js")).voyageReranker({ ...scoring, ...named });
    case "tei":
      return (await import("./services/tei.js")).teiReranker({
        ...scoring,
        ...(model === undefined ? {} : { baseUrl: model }),
      });
    case "llm":
    case "llm-pairwise":
    case "llm-pointwise":
      return (await import("./llm/index.js")).llmReranker({
        ...scoring,
        model: model ?? "",
        method: LLM_METHODS[kind],
      });
  }
}

const configShape = z.looseObject({ architectures: z.optional(z.array(z.string())) });
/** Files that only embedding and late-interaction models have. */
const LATE_FILES = [
  "modules.json",
  "artifact.metadata",
  "onnx_config.json",
  "config_sentence_transformers.json",
];

/** What the files of a model say that it is. Errors: INVALID_ARGUMENT, MODEL_INVALID, NETWORK, ABORTED. */
async function describeModel(
  spec: string,
  { model }: StageSpec,
  signal: AbortSignal | undefined,
): Promise<{ readonly kind: "late" | "cross-encoder"; readonly model: string }> {
  const path = await modelFolder(spec, model ?? "", signal);
  const folder = new ModelFolder(path);
  const config = await folder.readJson("config.json", configShape);
  if (config?.architectures?.some((name) => name.includes("SequenceClassification")) === true) {
    return { kind: "cross-encoder", model: model ?? "" };
  }
  for (const file of LATE_FILES) if (await folder.has(file)) return { kind: "late", model: model ?? "" };
  throw new MaxsimError(
    "INVALID_ARGUMENT",
    `the files of ${path} do not say what kind of reranker it is: config.json names no architecture ...SequenceClassification, and there is none of ${LATE_FILES.join(", ")}`,
    { hint: `Say what it is: late:${model}, or cross-encoder:${model}` },
  );
}

async function modelFolder(spec: string, model: string, signal: AbortSignal | undefined): Promise<string> {
  try {
    return await resolveModel(model, { signal });
  } catch (error) {
    if (!isMaxsimError(error) || error.code !== "MODEL_NOT_FOUND" || model.includes("/")) throw error;
    throw invalidSpec(spec, `there is no kind and no model ${JSON.stringify(model)}${meant(model)}`, error);
  }
}
