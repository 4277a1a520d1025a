/**
 * Scores passages on worker threads, in pieces of about equal tokens; small work stays on the calling thread,
 * where it costs less than the message that would hand it over.
 */
import { availableParallelism } from "node:os";
import { Piscina } from "piscina";
import { MaxsimError } from "../common/errors.js";
import type { KernelBackend } from "../kernels/backend.js";
import {
  InlineScorer,
  type Scorer,
  type ScoringQuery,
  type ScoringStage,
  workTokens,
} from "../search/scorer.js";
import type { SegmentPassages } from "../search/types.js";
import type { ScoreTask } from "./score-messages.js";
import { workerFile } from "./worker-file.js";

/**
 * Estimated nanoseconds of one (token, lane) pair with the AVX-512 kernels: exact scoring takes about 16 ns a token
 * of 16 lanes, centroid interaction reads one row of the score table.
 */
const PAIR_NANOSECONDS: Record<ScoringStage, number> = { maxsim: 1, approximate: 0.1 };
/** How much longer the other backends take. */
const BACKEND_FACTOR: Record<KernelBackend["name"], number> = { native: 1, wasm: 6, js: 20 };
/** Work below this stays inline: handing a task over costs 0.1 to 0.2 ms. */
const INLINE_NANOSECONDS = 1_000_000;
/**
 * Threads start once this much larger work has been done inline: starting them costs 50 to 100 ms of processor
 * time, which a process that asks one question would only lose.
 */
const START_NANOSECONDS = 100_000_000;
/** A piece per thread would end with the slowest; two pieces a thread even that out. */
const PIECES_PER_THREAD = 2;

interface Piece {
  readonly part: number;
  readonly task: ScoreTask;
}

export class ScorePool implements Scorer {
  private readonly threads: number;
  private readonly inline: InlineScorer;
  private readonly backendFactor: number;
  private doneInline = 0;
  private pool: Piscina<ScoreTask, Float32Array> | undefined;

  /** `threads` 0 means never to use workers. Threads start with the first work that is worth them. */
  constructor(kernels: KernelBackend, threads: number = availableParallelism()) {
    this.threads = threads;
    this.inline = new InlineScorer(kernels);
    this.backendFactor = BACKEND_FACTOR[kernels.name];
  }

  async score(
    stage: ScoringStage,
    query: ScoringQuery,
    work: readonly SegmentPassages[],
  ): Promise<Float32Array[]> {
    const tokens = work.map(workTokens).reduce((sum, n) => sum + n, 0);
    const cost = tokens * query.packed.lanes * PAIR_NANOSECONDS[stage] * this.backendFactor;
    if (this.staysInline(cost)) return this.inline.score(stage, query, work);

    const pieceTokens = Math.ceil(tokens / (this.threads * PIECES_PER_THREAD));
    const pool = this.start();
    const out = work.map(({ segment, passages }) => new Float32Array(passages?.length ?? segment.passages));
    const pieces = work.flatMap((part, p) =>
      cut(stage, query, part, pieceTokens).map((task) => ({ part: p, task })),
    );
    await Promise.all(pieces.map((piece) => this.run(pool, piece, out)));
    return out;
  }

  private staysInline(cost: number): boolean {
    if (this.threads < 2 || cost < INLINE_NANOSECONDS) return true;
    if (this.pool !== undefined) return false;
    this.doneInline += cost;
    return this.doneInline < START_NANOSECONDS;
  }

  private async run(
    pool: Piscina<ScoreTask, Float32Array>,
    piece: Piece,
    out: Float32Array[],
  ): Promise<void> {
    try {
      out[piece.part]!.set(await pool.run(piece.task), piece.task.from);
    } catch (cause) {
      throw new MaxsimError("WORKER_FAILED", `a scoring thread failed: ${String(cause)}`, { cause });
    }
  }

  private start(): Piscina<ScoreTask, Float32Array> {
    this.pool ??= new Piscina<ScoreTask, Float32Array>({
      filename: workerFile("score-worker").href,
      minThreads: this.threads,
      maxThreads: this.threads,
      concurrentTasksPerWorker: 1,
    });
    return this.pool;
  }

  async close(): Promise<void> {
    const { pool } = this;
    this.pool = undefined;
    await pool?.destroy();
  }
}

/** Cuts a part into tasks of about `pieceTokens` tokens, at passage boundaries. */
function cut(
  stage: ScoringStage,
  query: ScoringQuery,
  part: SegmentPassages,
  pieceTokens: number,
): ScoreTask[] {
  const { segment, passages } = part;
  const { offsets, compressed } = segment;
  const count = passages?.length ?? segment.passages;
  const tasks: ScoreTask[] = [];
  let from = 0;
  let tokens = 0;
  for (let i = 0; i < count; i++) {
    const p = passages === null ? i : passages[i]!;
    tokens += offsets[p + 1]! - offsets[p]!;
    if (tokens >= pieceTokens || i === count - 1) {
      tasks.push({ stage, query, offsets, compressed, passages, from, to: i + 1 });
      from = i + 1;
      tokens = 0;
    }
  }
  return tasks;
}
