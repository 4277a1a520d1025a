/** One ONNX graph, ready to run; the only place that imports onnxruntime-node, and that only when it is needed. */
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { MaxsimError, systemCode } from "../common/errors.js";
import { checkInputs, pickOutput } from "./graph.js";
import { invalidModel } from "./model-folder.js";
import { applyProjection } from "./projection.js";
import type { ModelSettings } from "./settings.js";
import type { EncodedText } from "./tokenizer.js";

export interface SessionOptions {
  /** Threads inside one run. Default 1: several runs side by side are faster (docs/performance.md). */
  readonly threads?: number;
}

export type Runtime = Pick<typeof import("onnxruntime-node"), "InferenceSession" | "Tensor">;
export type { InferenceSession, Tensor } from "onnxruntime-node";

/** A graph that is loaded; the caller releases the session. */
export interface LoadedGraph {
  readonly runtime: Runtime;
  readonly session: InferenceSession;
}

/**
 * Loads any graph, `threads` as in SessionOptions.
 * @throws MaxsimError MODEL_RUNTIME_MISSING, or MODEL_INVALID when the graph does not load.
 */
export async function loadGraph(file: string, threads: number): Promise<LoadedGraph> {
  const runtime = await importRuntime();
  try {
    return { runtime, session: await runtime.InferenceSession.create(file, sessionOptions(threads)) };
  } catch (error) {
    throw invalidModel(
      file,
      `does not load: ${reasonOf(error)}`,
      "Download or export the model again.",
      error,
    );
  }
}

/** Norms below this count as this, so that a vector of zeros stays zeros. */
const MIN_NORM = 1e-12;

export class ModelSession {
  private constructor(
    private readonly settings: ModelSettings,
    private readonly runtime: Runtime,
    private readonly session: InferenceSession,
    private readonly output: string,
  ) {}

  /** @throws MaxsimError MODEL_RUNTIME_MISSING, or MODEL_INVALID when the graph does not load or fit the settings. */
  static async load(settings: ModelSettings, options: SessionOptions = {}): Promise<ModelSession> {
    const file = settings.graphFile;
    const { runtime, session } = await loadGraph(file, options.threads ?? 1);
    try {
      checkInputs(file, session.inputNames);
      const output = pickOutput(
        file,
        session.outputNames.map((name) => ({ name })),
      );
      return new ModelSession(settings, runtime, session, output.name);
    } catch (error) {
      await session.release();
      throw error;
    }
  }

  /**
   * Token vectors of the kept positions, f32 `[kept][dim]`, each of norm 1. One text a run: graphs with dynamic
   * quantization share one scale among all texts of a run, so a batch would change the vectors.
   */
  async run(text: EncodedText): Promise<Float32Array> {
    const { settings } = this;
    const length = text.ids.length;
    let result: Tensor | undefined;
    try {
      result = (await this.session.run(this.feeds(text), [this.output]))[this.output];
    } catch (error) {
      throw invalidModel(
        settings.graphFile,
        `does not run on ${length} positions: ${reasonOf(error)}`,
        undefined,
        error,
      );
    }
    const inner = settings.projection[0]?.inFeatures ?? settings.dim;
    const shape = result?.dims.join(", ");
    const data = result?.data;
    if (!(data instanceof Float32Array) || shape !== `1, ${length}, ${inner}`) {
      throw invalidModel(
        settings.graphFile,
        `must give "${this.output}" as float32 [1, ${length}, ${inner}], found ${result?.type ?? "nothing"} [${shape ?? ""}]`,
      );
    }
    const hidden = select(data, text.kept, inner);
    const vectors = applyProjection(settings.projection, text.kept.length, hidden);
    this.normalize(vectors);
    return vectors;
  }

  async close(): Promise<void> {
    await this.session.release();
  }

  private feeds(text: EncodedText): Record<string, Tensor> {
    const { Tensor } = this.runtime;
    const shape = [1, text.ids.length];
    const wide = (values: Int32Array | Uint8Array): Tensor =>
      new Tensor("int64", BigInt64Array.from(values, BigInt), shape);
    return {
      input_ids: wide(text.ids),
      attention_mask: wide(text.attention),
      ...(this.settings.usesTokenTypeIds ? { token_type_ids: wide(new Uint8Array(text.ids.length)) } : {}),
    };
  }

  private normalize(vectors: Float32Array): void {
    const { dim, graphFile } = this.settings;
    for (let start = 0; start < vectors.length; start += dim) {
      let sum = 0;
      for (let i = start; i < start + dim; i++) sum += vectors[i]! * vectors[i]!;
      if (!Number.isFinite(sum)) throw invalidModel(graphFile, "gives vectors that are not finite numbers");
      const norm = Math.max(Math.sqrt(sum), MIN_NORM);
      for (let i = start; i < start + dim; i++) vectors[i] = vectors[i]! / norm;
    }
  }
}

function sessionOptions(threads: number): InferenceSession.SessionOptions {
  return {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    // Threads that wait for work by spinning take the processors from everything else.
    extra: { session: { intra_op: { allow_spinning: "0" } } },
    // Errors arrive as exceptions; the runtime's own log would go to the terminal.
    logSeverityLevel: 4,
  };
}

/** Rows of f32 `[*][width]` at `positions`. */
function select(data: Float32Array, positions: Int32Array, width: number): Float32Array {
  const out = new Float32Array(positions.length * width);
  positions.forEach((position, row) => {
    out.set(data.subarray(position * width, (position + 1) * width), row * width);
  });
  return out;
}

async function importRuntime(): Promise<Runtime> {
  try {
    return await import("onnxruntime-node");
  } catch (cause) {
    const missing = systemCode(cause) === "ERR_MODULE_NOT_FOUND" || systemCode(cause) === "MODULE_NOT_FOUND";
    throw new MaxsimError(
      "MODEL_RUNTIME_MISSING",
      missing
        ? "encoding needs onnxruntime-node, which is not installed"
        : `onnxruntime-node does not load: ${reasonOf(cause)}`,
      { hint: "Run `npm install onnxruntime-node --onnxruntime-node-install=skip`.", cause },
    );
  }
}

/** The first line of the runtime's message, which otherwise goes on with source lines. */
export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]!.slice(0, 300);
}
