/** A reranker made of a scorer: documents in the order of their scores, scores kept where there is a cache. */
import { createHash } from "node:crypto";
import { throwIfAborted } from "../common/abort.js";
import { checkInteger, checkOneOf } from "../common/check.js";
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import type { Logger } from "../common/logger.js";
import { BaseReranker, type CheckedOptions, type CheckedRequest, type Ranked } from "./base-reranker.js";
import { bestFirst } from "./best-first.js";
import type { ScoreCache } from "./score-cache.js";
import {
  type DocumentScores,
  orderScores,
  type ScoreOptions,
  type ScoreRequest,
  type Scorer,
} from "./scorer.js";
import type { RerankDocument, RerankUsage } from "./types.js";
import { addUsage, NO_USAGE } from "./usage.js";

export interface ScoringOptions {
  /** Where scores are kept from one call to the next. Default: nowhere. */
  readonly cache?: ScoreCache;
  /**
   * What becomes of a request whose scoring fails: "error" (default) throws, "first-stage" gives the documents in the order in which
   * they came, `reranked: false` and a warning. Wrong arguments, ABORTED and CLOSED are always thrown.
   */
  readonly onFailure?: "error" | "first-stage";
  /** Requests under way at the same time, of a scorer that takes one at a time. Default 4. */
  readonly concurrency?: number;
  readonly logger?: Logger;
}

/** Codes of errors that are the caller's, not the ranking's. */
export const ALWAYS_THROWN: ReadonlySet<string> = new Set([
  "INVALID_ARGUMENT",
  "INVALID_DOCUMENT",
  "ABORTED",
  "CLOSED",
  "INTERNAL",
]);
const DEFAULT_CONCURRENCY = 4;

/** The documents of a request that have something visible, with their places in it. */
interface Task {
  readonly request: ScoreRequest;
  readonly places: readonly number[];
}

export class ScoringReranker extends BaseReranker {
  readonly name: string;
  readonly model: string;
  readonly dependsOn: Scorer["dependsOn"];
  private readonly onFailure: "error" | "first-stage";
  private readonly concurrency: number;

  constructor(
    private readonly scorer: Scorer,
    private readonly options: ScoringOptions = {},
  ) {
    super(options.logger);
    this.name = scorer.name;
    this.model = scorer.model;
    this.dependsOn = scorer.dependsOn;
    this.onFailure = checkOneOf("onFailure", options.onFailure ?? "error", ["error", "first-stage"] as const);
    this.concurrency = checkInteger("concurrency", options.concurrency ?? DEFAULT_CONCURRENCY, 1, 256);
  }

  fingerprint(): Promise<string> {
    return this.scorer.fingerprint();
  }

  protected release(): Promise<void> {
    return this.scorer.close();
  }

  protected async rank<D extends RerankDocument>(
    requests: readonly CheckedRequest<D>[],
    { maxTokensPerDocument, signal }: CheckedOptions,
  ): Promise<Ranked[]> {
    const options: ScoreOptions = {
      maxTokensPerDocument: maxTokensPerDocument ?? this.scorer.defaultMaxTokens,
      signal,
    };
    const tasks = requests.map(visibleDocuments);
    const scored = await this.scoreTasks(tasks, options);
    return requests.map((request, i) => rankedOf(request, tasks[i]!, scored[i]!));
  }

  private async scoreTasks(tasks: readonly Task[], options: ScoreOptions): Promise<Scored[]> {
    const results = tasks.map(() => NOTHING);
    const waiting = Array.from(tasks.keys()).filter((i) => tasks[i]!.places.length > 0);
    const groups = this.scorer.batches === "all" ? [waiting] : waiting.map((i) => [i]);
    const queue = each(groups.filter((group) => group.length > 0));
    const lane = async (): Promise<void> => {
      for (const group of queue) {
        throwIfAborted(options.signal, "reranking");
        const scored = await this.scoreGroup(
          group.map((i) => tasks[i]!.request),
          options,
        );
        group.forEach((i, at) => {
          results[i] = scored[at]!;
        });
      }
    };
    await Promise.all(Array.from({ length: this.concurrency }, lane));
    return results;
  }

  private async scoreGroup(requests: readonly ScoreRequest[], options: ScoreOptions): Promise<Scored[]> {
    try {
      return await this.scoreCached(requests, options);
    } catch (error) {
      this.checkOpen();
      if (this.onFailure === "error" || !isMaxsimError(error) || ALWAYS_THROWN.has(error.code)) throw error;
      const warnings = [`the order is that of the first stage, since ranking failed: ${error.message}`];
      return requests.map(({ documents }) => {
        return { scores: orderScores(documents.length), reranked: false, warnings, usage: NO_USAGE };
      });
    }
  }

  /** Scores from the cache, and from the scorer what is not there. */
  private async scoreCached(requests: readonly ScoreRequest[], options: ScoreOptions): Promise<Scored[]> {
    const { cache } = this.options;
    if (cache === undefined) return (await this.callScorer(requests, options)).map(counted);
    const base = `${await this.scorer.fingerprint()}\0${options.maxTokensPerDocument}`;
    const perDocument = this.scorer.dependsOn === "document";
    const keys = requests.map((request) =>
      perDocument ? documentKeys(base, request) : [listKey(base, request)],
    );
    const flat = await cache.lookUp(keys.flat());
    let at = 0;
    const known = keys.map((own) => own.map(() => flat[at++]));
    const missing = requests.flatMap((request, i) => {
      const places = Array.from(request.documents.keys()).filter(
        (place) => known[i]![perDocument ? place : 0] === undefined,
      );
      return places.length === 0 ? [] : [{ i, places }];
    });
    const fresh = await this.callScorer(
      missing.map(({ i, places }) => {
        const { query, documents } = requests[i]!;
        return { query, documents: places.map((place) => documents[place]!) };
      }),
      options,
    );
    const results = requests.map((request, i): Scored => {
      const scores = Float64Array.from(request.documents, (_, place) => {
        return perDocument ? (known[i]![place]?.[0] ?? 0) : (known[i]![0]?.[place] ?? 0);
      });
      return {
        scores,
        reranked: true,
        warnings: [],
        usage: { ...NO_USAGE, cached: request.documents.length },
      };
    });
    const entries: { key: string; values: Float64Array }[] = [];
    missing.forEach(({ i, places }, m) => {
      const found = counted(fresh[m]!);
      const { keep = found.reranked && found.warnings.length === 0 } = fresh[m]!;
      const { scores } = results[i]!;
      places.forEach((place, p) => {
        scores[place] = found.scores[p]!;
      });
      results[i] = {
        ...found,
        scores,
        usage: addUsage(found.usage, { cached: scores.length - places.length }),
      };
      if (!keep) return;
      if (!perDocument) entries.push({ key: keys[i]![0]!, values: scores });
      else
        for (const place of places)
          entries.push({ key: keys[i]![place]!, values: scores.slice(place, place + 1) });
    });
    if (entries.length > 0) await cache.store(entries);
    return results;
  }

  private async callScorer(
    requests: readonly ScoreRequest[],
    options: ScoreOptions,
  ): Promise<DocumentScores[]> {
    if (requests.length === 0) return [];
    const results = await this.scorer.score(requests, options);
    this.checkOpen();
    const sound =
      results.length === requests.length &&
      results.every(({ scores }, i) => {
        return scores.length === requests[i]!.documents.length && Array.from(scores).every(Number.isFinite);
      });
    if (!sound)
      throw new MaxsimError("INTERNAL", `the scorer ${this.name} gave no finite score for some document`);
    return results;
  }
}

/** For lanes that share it: a lane that fails ends it for all, so that nothing more is asked, and paid for, that nobody will see. */
function* each<T>(items: readonly T[]): Generator<T, void, undefined> {
  yield* items;
}

interface Scored {
  readonly scores: Float64Array;
  readonly reranked: boolean;
  readonly complete?: false;
  readonly warnings: readonly string[];
  readonly usage: RerankUsage;
}

const NOTHING: Scored = { scores: new Float64Array(0), reranked: true, warnings: [], usage: NO_USAGE };

function counted({ scores, reranked = true, complete, warnings = [], usage = {} }: DocumentScores): Scored {
  return {
    scores: Float64Array.from(scores),
    reranked,
    ...(complete === false ? { complete } : {}),
    warnings,
    usage: addUsage({ ...NO_USAGE, scored: scores.length }, usage),
  };
}

function visibleDocuments<D extends RerankDocument>({ query, documents, texts }: CheckedRequest<D>): Task {
  const places = Array.from(texts.keys()).filter((i) => texts[i]!.trim() !== "");
  const scorable = places.map((i) => ({ text: texts[i]!, document: documents[i]! }));
  return { request: { query, documents: scorable }, places };
}

function rankedOf<D extends RerankDocument>(
  { documents }: CheckedRequest<D>,
  { places }: Task,
  { scores, ...outcome }: Scored,
): Ranked {
  return { ...outcome, ...bestFirst(documents.length, places, scores) };
}

/** Keys state lengths before texts, so that no two requests run into one another. */
function keyOf(base: string, query: string, texts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of [base, query, ...texts]) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest("hex");
}

function documentKeys(base: string, { query, documents }: ScoreRequest): string[] {
  return documents.map(({ text }) => keyOf(base, query, [text]));
}

function listKey(base: string, { query, documents }: ScoreRequest): string {
  return keyOf(
    base,
    query,
    documents.map(({ text }) => text),
  );
}
