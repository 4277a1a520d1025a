/** Entry of a thread that scores pairs: one tokenizer and one session, loaded with the first task. */
import { workerData } from "node:worker_threads";
import { MaxsimError, serializeError } from "../common/errors.js";
import type { CrossEncoderSettings } from "../models/cross-encoder-settings.js";
import { cutRuns, PairSession } from "../models/pair-session.js";
import { PairTokenizer } from "../models/pair-tokenizer.js";
import { PairCut, type PairResult, type PairRows, type PairTask } from "./pair-messages.js";
import { RuntimeGuard } from "./runtime-guard.js";
import type { RuntimeWorkerData } from "./runtime-threads.js";

interface Model {
  readonly tokenizer: PairTokenizer;
  readonly session: PairSession;
}

const { settings, guard: guardState } = workerData as RuntimeWorkerData<CrossEncoderSettings>;
const guard = new RuntimeGuard(guardState);
let loading: Promise<Model> | undefined;

async function load(): Promise<Model> {
  const [session, tokenizer] = await Promise.all([
    guard.enter(() => PairSession.load(settings)),
    PairTokenizer.load(settings),
  ]);
  return { session, tokenizer };
}

export default async function scorePairs(task: PairTask): Promise<PairResult> {
  try {
    loading ??= load();
    return { kind: "scored", rows: await score(await loading, task) };
  } catch (error) {
    return { kind: "error", error: serializeError(error) };
  }
}

async function score({ tokenizer, session }: Model, task: PairTask): Promise<PairRows> {
  const { documents, queryOf, maxTokens, cancelled } = task;
  const queries = task.queries.map((query) => tokenizer.tokenizeQuery(query, maxTokens));
  const cuts = new Uint8Array(documents.length);
  const positions = new Uint32Array(documents.length);
  const parts = documents.flatMap((text, document) => {
    const tokens = tokenizer.tokenizeDocument(text, maxTokens);
    const encoded = tokenizer.encode(queries[queryOf[document]!]!, tokens);
    cuts[document] = (encoded.queryCut ? PairCut.query : 0) | (tokens.truncated ? PairCut.document : 0);
    return encoded.parts.map((pair) => {
      positions[document] = positions[document]! + pair.ids.length;
      return { document, pair };
    });
  });
  const pairs = parts.map(({ pair }) => pair);
  const logits = new Float64Array(documents.length).fill(Number.NEGATIVE_INFINITY);
  for (const run of cutRuns(pairs, settings.oneByOne, settings.fixedLength)) {
    if (Atomics.load(cancelled, 0) !== 0) throw new MaxsimError("ABORTED", "reranking was aborted");
    const found = await guard.enter(() => session.run(run.map((at) => pairs[at]!)));
    run.forEach((at, i) => {
      const { document } = parts[at]!;
      logits[document] = Math.max(logits[document]!, found[i]!);
    });
  }
  return { logits, positions, cuts };
}
