/**
 * Runs searches: alone on the calling thread, side by side on worker threads when several are under way, and a long
 * exhaustive scan in pieces on all of them.
 *
 * A search of milliseconds gains nothing from being split, because the message that hands a piece over costs 0.1 to 0.2 ms;
 * several of them gain a whole processor each.
 */
import { availableParallelism } from "node:os";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Piscina } from "piscina";
import { throwIfAborted } from "../common/abort.js";
import { deserializeError, MaxsimError } from "../common/errors.js";
import type { KernelBackend } from "../kernels/backend.js";
import { scoreCentroids } from "../search/centroid-scores.js";
import type { ScoringQuery } from "../search/exact.js";
import { Trace } from "../search/explain.js";
import { describePart } from "../search/restricted-snapshot.js";
import { type Router, ScanRouter } from "../search/router.js";
import {
  documentsRanked,
  exhaustivePlan,
  finishSearch,
  isExhaustive,
  scoreNamedPassages,
  searchSnapshot,
} from "../search/search.js";
import { describeSnapshot } from "../search/snapshot-description.js";
import { TopDocuments } from "../search/top-documents.js";
import type { SearchOutcome, SearchRequest, SearchSnapshot } from "../search/types.js";
import { Workspace } from "../search/workspace.js";
import type { SearchAnswer, SearchTask, SearchWork } from "./search-messages.js";
import { workerFile } from "./worker-file.js";

/** Estimated nanoseconds of exact scoring, a (token, lane) pair with the AVX-512 kernels. */
const PAIR_NANOSECONDS = 0.8;
/** How much longer the other backends take. */
const BACKEND_FACTOR: Record<KernelBackend["name"], number> = { native: 1, wasm: 6, js: 20 };
/** A scan that takes less stays on one thread. */
const SPLIT_MILLISECONDS = 4;
/**
 * Threads start once they would have saved this much: starting them costs 50 to 100 ms of processor time, which a process
 * that asks one question would only lose.
 */
const START_MILLISECONDS = 100;
/** A piece per thread would end with the slowest; two pieces a thread even that out. */
const PIECES_PER_THREAD = 2;
/** Queries of a batch that share one pass over the codebook, and one task. */
const GROUP = 4;
/** A second task waits inside a thread, so that it need not wait for the main thread's next turn. */
const TASKS_PER_THREAD = 2;

export class SearchPool {
  private readonly workspace = new Workspace();
  private readonly names = new WeakMap<SearchSnapshot, string>();
  private nextName = 0;
  private underWay = 0;
  private missedMilliseconds = 0;
  private pool: Piscina<SearchTask, SearchAnswer> | undefined;
  private closed = false;

  /** `threads` below 2 means never to use workers. */
  constructor(
    private readonly kernels: KernelBackend,
    private readonly threads: number = availableParallelism(),
  ) {}

  /**
   * One outcome a request, in their order, the same whatever runs them. A router other than a scan stays on the calling
   * thread. Errors: CORRUPT naming the file, WORKER_FAILED, CLOSED, ABORTED (looked at before each group of requests).
   */
  async search(
    snapshot: SearchSnapshot,
    requests: readonly SearchRequest[],
    router: Router,
    signal?: AbortSignal,
  ): Promise<SearchOutcome[]> {
    const groups = Array.from({ length: Math.ceil(requests.length / GROUP) }, (_, g) =>
      requests.slice(g * GROUP, (g + 1) * GROUP),
    );
    const outcomes = await Promise.all(
      groups.map((group) => this.searchGroup(snapshot, group, router, signal)),
    );
    return outcomes.flat();
  }

  private async searchGroup(
    snapshot: SearchSnapshot,
    requests: readonly SearchRequest[],
    router: Router,
    signal: AbortSignal | undefined,
  ): Promise<readonly SearchOutcome[]> {
    this.underWay++;
    try {
      // One turn of the event loop: searches that wait for this thread come in and are counted.
      await nextTurn();
      if (this.closed) throw new MaxsimError("CLOSED", "the index was closed during a search");
      throwIfAborted(signal, "the search");
      const split = this.scanMilliseconds(snapshot, requests);
      const portable = this.threads > 1 && router instanceof ScanRouter;
      if (portable && this.underWay > 1) {
        if (this.worthThreads(0)) return await this.onThread(snapshot, requests);
      } else if (portable && split >= SPLIT_MILLISECONDS && requests.length === 1) {
        if (this.worthThreads(split / 2)) return [await this.scanOnThreads(snapshot, requests[0]!)];
      }
      const started = performance.now();
      const outcomes = searchSnapshot(snapshot, requests, {
        kernels: this.kernels,
        router,
        workspace: this.workspace,
      });
      if (portable && this.underWay > 1) this.missedMilliseconds += performance.now() - started;
      return outcomes;
    } finally {
      this.underWay--;
    }
  }

  /** What scanning every passage would take, for the requests that do; 0 for the others. */
  private scanMilliseconds(snapshot: SearchSnapshot, requests: readonly SearchRequest[]): number {
    const pair = PAIR_NANOSECONDS * BACKEND_FACTOR[this.kernels.name] * 1e-6;
    return requests
      .filter((request) => isExhaustive(snapshot, request))
      .reduce((sum, { packed }) => sum + snapshot.tokens * packed.lanes * pair, 0);
  }

  private worthThreads(saved: number): boolean {
    if (this.pool !== undefined) return true;
    this.missedMilliseconds += saved;
    return this.missedMilliseconds >= START_MILLISECONDS;
  }

  private async onThread(
    snapshot: SearchSnapshot,
    requests: readonly SearchRequest[],
  ): Promise<readonly SearchOutcome[]> {
    const answer = await this.run(snapshot, { kind: "search", requests });
    if (answer.kind !== "search") throw unexpected(answer);
    return answer.outcomes;
  }

  /** One exhaustive search in pieces of about equal tokens. */
  private async scanOnThreads(snapshot: SearchSnapshot, request: SearchRequest): Promise<SearchOutcome> {
    const { codebook, quantizer } = snapshot.codec;
    const trace = new Trace();
    const [tables] = trace.measure(
      "centroids",
      "centroids",
      () => scoreCentroids(codebook, [request.packed], false, this.kernels, this.workspace),
      () => ({ seen: codebook.size, kept: codebook.size }),
    );
    try {
      const query: ScoringQuery = { packed: request.packed, quantizer, table: tables!.scores };
      const k = documentsRanked(request);
      const pieces = cut(snapshot, Math.ceil(snapshot.tokens / (this.threads * PIECES_PER_THREAD)));
      const passages = pieces.reduce((sum, { from, to }) => sum + to - from, 0);
      const top = await trace.measureAsync(
        "exact",
        "passages",
        async () => {
          const work = pieces.map((piece) => this.run(snapshot, { kind: "scan", ...piece, query, k }));
          const best = new TopDocuments(k);
          for (const answer of await Promise.all(work)) {
            if (answer.kind !== "scan") throw unexpected(answer);
            for (const { documentNo, passageNo, score } of answer.ranked) {
              best.push(documentNo, passageNo, score);
            }
          }
          return best;
        },
        () => ({ seen: passages, kept: passages }),
      );
      const named = scoreNamedPassages(snapshot, request, query, top, this.kernels, trace);
      return finishSearch(snapshot, request, top, { ...exhaustivePlan(snapshot, request), ...named }, trace);
    } finally {
      this.workspace.giveTables(tables!);
    }
  }

  private async run(snapshot: SearchSnapshot, work: SearchWork): Promise<SearchAnswer> {
    const pool = this.start();
    // Threads attach the files of a generation once, whatever filters leave of it.
    const generation = snapshot.partOf?.base ?? snapshot;
    const name = this.nameOf(generation);
    const part = describePart(snapshot);
    const send = async (task: SearchTask): Promise<SearchAnswer> => {
      try {
        return await pool.run(task);
      } catch (cause) {
        throw new MaxsimError("WORKER_FAILED", `a search thread failed: ${String(cause)}`, { cause });
      }
    };
    let answer = await send({ snapshot: name, description: null, part, work });
    if (answer.kind === "unknown") {
      answer = await send({ snapshot: name, description: describeSnapshot(generation), part, work });
    }
    if (answer.kind === "error") throw deserializeError(answer.error);
    return answer;
  }

  private nameOf(snapshot: SearchSnapshot): string {
    let name = this.names.get(snapshot);
    if (name === undefined) {
      name = `snapshot ${this.nextName++}`;
      this.names.set(snapshot, name);
    }
    return name;
  }

  private start(): Piscina<SearchTask, SearchAnswer> {
    this.pool ??= new Piscina<SearchTask, SearchAnswer>({
      filename: workerFile("search-worker").href,
      minThreads: this.threads,
      maxThreads: this.threads,
      concurrentTasksPerWorker: TASKS_PER_THREAD,
    });
    return this.pool;
  }

  async close(): Promise<void> {
    this.closed = true;
    const { pool } = this;
    this.pool = undefined;
    await pool?.destroy();
  }
}

/** Cuts the live passages of all segments into pieces of about `pieceTokens` tokens. */
function cut(
  { segments }: SearchSnapshot,
  pieceTokens: number,
): Array<{ segment: number; from: number; to: number }> {
  return segments.flatMap(({ offsets, live, passages }, segment) => {
    const count = live?.length ?? passages;
    const pieces: Array<{ segment: number; from: number; to: number }> = [];
    let from = 0;
    let tokens = 0;
    for (let i = 0; i < count; i++) {
      const p = live === null ? i : live[i]!;
      tokens += offsets[p + 1]! - offsets[p]!;
      if (tokens < pieceTokens && i < count - 1) continue;
      pieces.push({ segment, from, to: i + 1 });
      from = i + 1;
      tokens = 0;
    }
    return pieces;
  });
}

function unexpected({ kind }: SearchAnswer): MaxsimError {
  return new MaxsimError("INTERNAL", `a search thread gave an answer of the kind ${kind}`);
}
