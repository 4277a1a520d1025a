/** A reranker made of rerankers: each stage looks at the best documents of the order that the one before it left. */
import { createHash } from "node:crypto";
import { throwIfAborted } from "../common/abort.js";
import { checkInteger, checkNumber, checkOneOf, invalidArgument } from "../common/check.js";
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import type { Logger } from "../common/logger.js";
import { BaseReranker, type CheckedOptions, type CheckedRequest, type Ranked } from "./base-reranker.js";
import { Deadline, OUT_OF_TIME, Pace } from "./chain-budget.js";
import { documentFields, documentId } from "./document-text.js";
import { orderScores } from "./scorer.js";
import { ALWAYS_THROWN } from "./scoring-reranker.js";
import {
  MAX_RERANK_DOCUMENTS,
  type RerankDocument,
  type Reranker,
  type RerankOptions,
  type RerankOutcome,
  type RerankRequest,
  type RerankUsage,
} from "./types.js";
import { addUsage, NO_USAGE } from "./usage.js";

export interface ChainStage {
  /** Belongs to the chain from then on, which closes it. */
  readonly reranker: Reranker;
  /** Documents that the stage sees: the best of the order so far, the others stay behind them. Default: all. */
  readonly depth?: number;
}

export interface ChainOptions {
  /**
   * Milliseconds for a call, all its requests together. A stage is left out when they are used up, or when by its last calls it would
   * clearly take longer than what is left; one that is under way when they end is aborted. Either way the order of before stays,
   * and a warning says so. Default: none.
   */
  readonly budgetMs?: number;
  /**
   * What becomes of a call when a stage fails: "error" (default) throws, "first-stage" keeps the order of before that stage, tells it as
   * a warning and goes on with the next. Wrong arguments, ABORTED and CLOSED are always thrown.
   */
  readonly onFailure?: "error" | "first-stage";
  /** Is told of stages that were left out, broken off or failed; what stages warn of goes to the loggers of their own. */
  readonly logger?: Logger;
}

/** The longest time of a timer. */
const MAX_BUDGET_MS = 2 ** 31 - 1;

/**
 * Runs stages one after another: a quick one for many documents, a slow one for the best of them. A document's score is that of the last
 * stage that scored it, so scores of a chain fall from one place to the next only within what one stage saw; documents that
 * none saw have the lowest, or 0 where that is less. Closing the chain closes the stages. Errors: INVALID_ARGUMENT.
 */
export function chainReranker(stages: readonly ChainStage[], options: ChainOptions = {}): Reranker {
  return new ChainReranker(stages, options);
}

interface Stage {
  readonly reranker: Reranker;
  readonly depth: number;
  /** For messages, such as "stage 2 (cross-encoder)". */
  readonly title: string;
  readonly pace: Pace;
}

/** What the stages so far have made of a request. */
interface Progress {
  /** Positions of the documents that have something visible, best first. */
  order: number[];
  readonly blank: readonly number[];
  /** By position, of those that a stage scored. */
  readonly scores: Map<number, number>;
  reranked: boolean;
  complete?: false;
  readonly warnings: string[];
  usage: RerankUsage;
}

/** A request of a stage, and which one of the call it is part of. */
interface Part<D extends RerankDocument> {
  readonly request: RerankRequest<D>;
  readonly progress: Progress;
}

class ChainReranker extends BaseReranker {
  readonly name = "chain";
  /** The stages, such as "late:default@200+cross-encoder:ms-marco@50". */
  readonly model: string;
  /** What a stage sees depends on the order that the one before it left. */
  readonly dependsOn = "list";
  private readonly stages: readonly Stage[];
  private readonly budgetMs: number;
  private readonly onFailure: "error" | "first-stage";

  constructor(stages: readonly ChainStage[], { budgetMs, onFailure, logger }: ChainOptions) {
    super(logger);
    this.stages = checkStages(stages);
    this.budgetMs =
      budgetMs === undefined ? Number.POSITIVE_INFINITY : checkNumber("budgetMs", budgetMs, 1, MAX_BUDGET_MS);
    this.onFailure = checkOneOf("onFailure", onFailure ?? "error", ["error", "first-stage"] as const);
    this.model = stages
      .map(({ reranker: { name, model }, depth }) => {
        return `${name}${model === "" ? "" : `:${model}`}${depth === undefined ? "" : `@${depth}`}`;
      })
      .join("+");
  }

  async fingerprint(): Promise<string> {
    const parts = await Promise.all(
      this.stages.map(async ({ reranker, depth }) => [await reranker.fingerprint(), depth]),
    );
    return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  }

  protected async release(): Promise<void> {
    const rerankers = new Set(this.stages.map(({ reranker }) => reranker));
    const closed = await Promise.allSettled([...rerankers].map((reranker) => reranker.close()));
    const failed = closed.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  /** A document that has an id and no text may be known to the first stage, which will say so or place it last if it is not. */
  protected override textOf(name: string, document: RerankDocument, fields: readonly string[]): string {
    const id = documentId(document);
    const bare = fields.every((field) => (documentFields(document)?.[field] ?? null) === null);
    const text = id !== undefined && bare ? "" : super.textOf(name, document, fields);
    return text.trim() === "" && id !== undefined ? id : text;
  }

  /** What becomes of stages was told as it happened, once for all requests; what stages warn of they tell themselves. */
  protected override tell(): void {}

  protected async rank<D extends RerankDocument>(
    requests: readonly CheckedRequest<D>[],
    options: CheckedOptions,
  ): Promise<Ranked[]> {
    const deadline = new Deadline(this.budgetMs);
    const progress = requests.map(startOf);
    for (const stage of this.stages) {
      throwIfAborted(options.signal, "reranking");
      this.checkOpen();
      const parts = progress.flatMap((one, i): Part<D>[] => {
        const { query, documents } = requests[i]!;
        const best = one.order.slice(0, stage.depth).map((position) => documents[position]!);
        return best.length === 0 ? [] : [{ request: { query, documents: best }, progress: one }];
      });
      if (parts.length > 0) await this.run(stage, parts, options, deadline);
    }
    return progress.map(finish);
  }

  private async run<D extends RerankDocument>(
    { reranker, title, pace }: Stage,
    parts: readonly Part<D>[],
    options: CheckedOptions,
    deadline: Deadline,
  ): Promise<void> {
    const warn = (warning: string): void => {
      super.tell(warning);
      for (const { progress } of parts) progress.warnings.push(warning);
    };
    const documents = parts.reduce((sum, { request }) => sum + request.documents.length, 0);
    const { budget, left } = deadline;
    if (left === 0) {
      return warn(`${title} was left out: the budget of ${budget} ms is used up`);
    }
    const estimate = pace.tooLong(documents, left);
    if (estimate !== undefined) {
      const [needed, rest] = [estimate, left].map(Math.round);
      return warn(`${title} was left out: it takes about ${needed} ms, ${rest} of ${budget} ms are left`);
    }
    const start = performance.now();
    const requests = parts.map(({ request }) => request);
    let outcomes: readonly RerankOutcome<D>[] | typeof OUT_OF_TIME;
    try {
      outcomes = await deadline.run(
        (signal) => reranker.rerankBatch(requests, stageOptions(options, signal)),
        options.signal,
      );
    } catch (error) {
      throwIfAborted(options.signal, "reranking");
      this.checkOpen();
      if (this.onFailure === "error" || !isMaxsimError(error) || ALWAYS_THROWN.has(error.code)) throw error;
      return warn(`${title} failed, the order is that of before: ${error.message}`);
    }
    this.checkOpen();
    pace.record(performance.now() - start, documents, outcomes === OUT_OF_TIME);
    if (outcomes === OUT_OF_TIME)
      return warn(`${title} was broken off: the budget of ${budget} ms is used up`);
    if (outcomes.length !== parts.length) throw unsound(title);
    for (const [i, part] of parts.entries()) take(title, part, outcomes[i]!);
  }
}

function checkStages(stages: readonly ChainStage[]): Stage[] {
  if (!Array.isArray(stages) || stages.length === 0) {
    throw invalidArgument(
      "stages",
      "an array of one or more stages",
      stages,
      "A stage is { reranker, depth }.",
    );
  }
  return (stages as readonly ChainStage[]).map((stage, i): Stage => {
    const reranker: Reranker | undefined = stage?.reranker;
    if (typeof reranker?.rerankBatch !== "function") {
      throw invalidArgument(`stages[${i}].reranker`, "a reranker", reranker);
    }
    const depth =
      stage.depth === undefined
        ? MAX_RERANK_DOCUMENTS
        : checkInteger(`stages[${i}].depth`, stage.depth, 1, MAX_RERANK_DOCUMENTS);
    return { reranker, depth, title: `stage ${i + 1} (${reranker.name})`, pace: new Pace() };
  });
}

function stageOptions(
  { fields, maxTokensPerDocument }: CheckedOptions,
  signal: AbortSignal | undefined,
): RerankOptions {
  return {
    fields,
    ...(maxTokensPerDocument === undefined ? {} : { maxTokensPerDocument }),
    ...(signal === undefined ? {} : { signal }),
  };
}

function startOf<D extends RerankDocument>({ texts }: CheckedRequest<D>): Progress {
  const order: number[] = [];
  const blank: number[] = [];
  for (const [i, text] of texts.entries()) (text.trim() === "" ? blank : order).push(i);
  return { order, blank, scores: new Map(), reranked: order.length === 0, warnings: [], usage: NO_USAGE };
}

function take<D extends RerankDocument>(
  title: string,
  { request, progress }: Part<D>,
  { results, reranked, complete, warnings, usage }: RerankOutcome<D>,
): void {
  const count = request.documents.length;
  const sound =
    results.length === count &&
    new Set(results.map(({ index }) => index)).size === count &&
    results.every(({ index, score }) => index in request.documents && Number.isFinite(score));
  if (!sound) throw unsound(title);
  progress.warnings.push(...warnings.map((warning) => `${title}: ${warning}`));
  progress.usage = addUsage(progress.usage, usage);
  if (complete === false) progress.complete = false;
  if (!reranked) return;
  progress.reranked = true;
  const seen = progress.order.slice(0, count);
  const order = results.map(({ index }) => seen[index]!);
  results.forEach(({ score }, i) => {
    progress.scores.set(order[i]!, score);
  });
  progress.order = [...order, ...progress.order.slice(count)];
}

function unsound(title: string): MaxsimError {
  return new MaxsimError("INTERNAL", `${title} did not give every document once, with a finite score`);
}

function finish({ order, blank, scores, ...outcome }: Progress): Ranked {
  const byOrder = orderScores(order.length);
  const lowest = [...scores.values()].reduce((a, b) => Math.min(a, b), 0);
  return {
    ...outcome,
    order: [...order, ...blank],
    scores: [
      ...order.map((position, i) => (scores.size === 0 ? byOrder[i]! : (scores.get(position) ?? lowest))),
      ...blank.map(() => lowest),
    ],
  };
}
