/** The graph of a cross-encoder, ready to run. */
import type { CrossEncoderSettings } from "./cross-encoder-settings.js";
import { checkInputs } from "./graph.js";
import { invalidModel } from "./model-folder.js";
import type { EncodedPair } from "./pair-tokenizer.js";
import { type InferenceSession, type LoadedGraph, loadGraph, reasonOf, type Tensor } from "./session.js";

/**
 * Positions of one run at most. Short pairs gain up to a half from sharing runs, pairs of some hundred positions nothing, and large
 * batches lose (docs/cross-encoders.md).
 */
const RUN_POSITIONS = 512;

export type PairSettings = Pick<
  CrossEncoderSettings,
  "graphFile" | "output" | "labels" | "padTokenId" | "fixedLength"
>;

export class PairSession {
  private readonly session: InferenceSession;
  /** Inputs of the graph, and whether each is int32 (else int64). */
  private readonly inputs: ReadonlyMap<string, boolean>;

  private constructor(
    private readonly settings: PairSettings,
    private readonly graph: LoadedGraph,
  ) {
    this.session = graph.session;
    this.inputs = new Map(
      this.session.inputMetadata.map((input) => [input.name, input.isTensor && input.type === "int32"]),
    );
  }

  /** @throws MaxsimError MODEL_RUNTIME_MISSING, or MODEL_INVALID when the graph does not load. */
  static async load(settings: PairSettings): Promise<PairSession> {
    const graph = await loadGraph(settings.graphFile, 1);
    try {
      checkInputs(settings.graphFile, graph.session.inputNames);
      return new PairSession(settings, graph);
    } catch (error) {
      await graph.session.release();
      throw error;
    }
  }

  /**
   * Logits of one run, f64 `[pairs]`: of two labels, the second minus the first. Shorter pairs are padded at the end and the padding
   * is not attended to.
   * @throws MaxsimError MODEL_INVALID when the graph fails or gives something else.
   */
  async run(pairs: readonly EncodedPair[]): Promise<Float64Array> {
    const { graphFile, output, labels, fixedLength } = this.settings;
    const length = fixedLength ?? Math.max(...pairs.map(({ ids }) => ids.length));
    const size = `${pairs.length} pairs of ${length} positions`;
    let result: Tensor | undefined;
    try {
      result = (await this.session.run(this.feeds(pairs, length), [output]))[output];
    } catch (error) {
      throw invalidModel(graphFile, `does not run on ${size}: ${reasonOf(error)}`, undefined, error);
    }
    const data = result?.data;
    const shape = result?.dims.join(", ") ?? "";
    const expected = `${pairs.length}, ${labels}`;
    if (
      !(data instanceof Float32Array) ||
      (shape !== expected && !(labels === 1 && shape === `${pairs.length}`))
    ) {
      throw invalidModel(
        graphFile,
        `must give "${output}" as float32 [${expected}], found ${result?.type ?? "nothing"} [${shape}]`,
      );
    }
    const logits = Float64Array.from(pairs, (_, i) => {
      return labels === 1 ? data[i]! : data[2 * i + 1]! - data[2 * i]!;
    });
    if (!logits.every(Number.isFinite))
      throw invalidModel(graphFile, "gives scores that are not finite numbers");
    return logits;
  }

  async close(): Promise<void> {
    await this.session.release();
  }

  private feeds(pairs: readonly EncodedPair[], length: number): Record<string, Tensor> {
    const cells = pairs.length * length;
    const values: Record<string, Int32Array> = {
      input_ids: new Int32Array(cells).fill(this.settings.padTokenId),
      attention_mask: new Int32Array(cells),
      token_type_ids: new Int32Array(cells),
    };
    pairs.forEach(({ ids, types }, row) => {
      values.input_ids!.set(ids, row * length);
      values.attention_mask!.fill(1, row * length, row * length + ids.length);
      values.token_type_ids!.set(types, row * length);
    });
    const { Tensor } = this.graph.runtime;
    const shape = [pairs.length, length];
    return Object.fromEntries(
      Array.from(this.inputs, ([name, narrow]) => {
        const column = values[name]!;
        const tensor = narrow
          ? new Tensor("int32", column, shape)
          : new Tensor("int64", BigInt64Array.from(column, BigInt), shape);
        return [name, tensor];
      }),
    );
  }
}

/**
 * Positions of `pairs` in groups of one run each, by length, so that little is padding. `oneByOne` gives each a run of
 * its own: a graph that quantizes activations takes its scales from all of a run (scores moved by 0.05 between batches).
 * `fixedLength`: positions that every pair is filled up to, whatever its own are.
 */
export function cutRuns(
  pairs: readonly EncodedPair[],
  oneByOne: boolean,
  fixedLength: number | null = null,
): number[][] {
  const order = Array.from(pairs.keys()).sort((a, b) => pairs[a]!.ids.length - pairs[b]!.ids.length || a - b);
  const runs: number[][] = [];
  for (const at of order) {
    const run = runs.at(-1);
    const fits =
      run !== undefined && (run.length + 1) * (fixedLength ?? pairs[at]!.ids.length) <= RUN_POSITIONS;
    if (fits && !oneByOne) run.push(at);
    else runs.push([at]);
  }
  return runs;
}
