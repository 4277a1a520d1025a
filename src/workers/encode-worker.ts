/** Entry of an encoding thread: one tokenizer and one session, loaded with the first task. */
import { workerData } from "node:worker_threads";
import { move, transferableSymbol, valueSymbol } from "piscina";
import { MaxsimError, serializeError } from "../common/errors.js";
import { quantizeVectors } from "../kernels/pack.js";
import { ModelSession } from "../models/session.js";
import type { ModelSettings } from "../models/settings.js";
import { TextTokenizer } from "../models/tokenizer.js";
import type {
  DocumentRows,
  EncodeResult,
  EncodeTask,
  LocatedRows,
  PassageRows,
  QueryRows,
} from "./encode-messages.js";
import { RuntimeGuard } from "./runtime-guard.js";
import type { RuntimeWorkerData } from "./runtime-threads.js";

interface Model {
  readonly tokenizer: TextTokenizer;
  readonly session: ModelSession;
}

const { settings, guard: guardState } = workerData as RuntimeWorkerData<ModelSettings>;
const guard = new RuntimeGuard(guardState);
let loading: Promise<Model> | undefined;

async function load(): Promise<Model> {
  const [session, tokenizer] = await Promise.all([
    guard.enter(() => ModelSession.load(settings)),
    TextTokenizer.load(settings),
  ]);
  return { session, tokenizer };
}

/** Returns an EncodeResult, wrapped for transfer where it is large. */
export default async function encode(task: EncodeTask): Promise<unknown> {
  try {
    loading ??= load();
    const model = await loading;
    switch (task.kind) {
      case "warm":
        return { kind: "warm" } satisfies EncodeResult;
      case "query":
        return transfer({ kind: "query", rows: await encodeQuery(model, task.text) });
      case "locate":
        return transfer({ kind: "locate", rows: locate(model, task) });
      case "passages":
        return transfer({
          kind: "passages",
          rows: quantize(await encodeDocuments(model, task.texts, task.cancelled)),
        });
      case "documents":
        return transfer({
          kind: "documents",
          rows: await encodeDocuments(model, task.texts, task.cancelled),
        });
    }
  } catch (error) {
    return { kind: "error", error: serializeError(error) } satisfies EncodeResult;
  }
}

async function encodeQuery({ tokenizer, session }: Model, text: string): Promise<QueryRows> {
  const encoded = tokenizer.encodeQuery(text);
  const vectors = await guard.enter(() => session.run(encoded));
  const tokenIds = Uint32Array.from(encoded.kept, (position) => encoded.ids[position]!);
  const tokens = Array.from(tokenIds, (id) => tokenizer.tokenText(id));
  return { vectors, tokenIds, tokens, truncated: encoded.truncated };
}

async function encodeDocuments(
  { tokenizer, session }: Model,
  texts: readonly string[],
  cancelled: Int32Array,
): Promise<DocumentRows> {
  const encoded = texts.map((text) => tokenizer.encodeDocument(text));
  const firstToken = new Uint32Array(texts.length + 1);
  encoded.forEach(({ kept }, i) => {
    firstToken[i + 1] = firstToken[i]! + kept.length;
  });
  const total = firstToken[texts.length]!;
  const vectors = new Float32Array(total * settings.dim);
  const tokenIds = new Uint32Array(total);
  for (const [i, text] of encoded.entries()) {
    if (Atomics.load(cancelled, 0) !== 0) throw new MaxsimError("ABORTED", "encoding was aborted");
    const at = firstToken[i]!;
    vectors.set(await guard.enter(() => session.run(text)), at * settings.dim);
    text.kept.forEach((position, row) => {
      tokenIds[at + row] = text.ids[position]!;
    });
  }
  return {
    firstToken,
    tokenIds,
    contentTokens: Uint32Array.from(encoded, (e) => e.contentTokens),
    truncated: Uint8Array.from(encoded, (e) => (e.truncated ? 1 : 0)),
    vectors,
  };
}

function quantize({ vectors, ...rows }: DocumentRows): PassageRows {
  const { values, scales } = quantizeVectors(vectors, rows.tokenIds.length, settings.dim);
  return { ...rows, values, scales };
}

function locate(
  { tokenizer }: Model,
  { query, passages, spell }: Extract<EncodeTask, { kind: "locate" }>,
): LocatedRows {
  const texts = [tokenizer.locateQuery(query), ...passages.map((text) => tokenizer.locateDocument(text))];
  const firstToken = new Uint32Array(texts.length + 1);
  texts.forEach(({ tokenIds }, i) => {
    firstToken[i + 1] = firstToken[i]! + tokenIds.length;
  });
  const total = firstToken[texts.length]!;
  const rows = {
    firstToken,
    tokenIds: new Uint32Array(total),
    parts: new Uint8Array(total),
    starts: new Int32Array(total),
    ends: new Int32Array(total),
  };
  texts.forEach(({ tokenIds, parts, starts, ends }, i) => {
    const at = firstToken[i]!;
    rows.tokenIds.set(tokenIds, at);
    rows.parts.set(parts, at);
    rows.starts.set(starts, at);
    rows.ends.set(ends, at);
  });
  return { ...rows, tokens: spell ? Array.from(rows.tokenIds, (id) => tokenizer.tokenText(id)) : null };
}

/** Marks the large arrays for transfer; the small ones are copied. */
function transfer(result: EncodeResult): unknown {
  const large =
    result.kind === "passages"
      ? [result.rows.values.buffer, result.rows.scales.buffer, result.rows.tokenIds.buffer]
      : result.kind === "documents" || result.kind === "query"
        ? [result.rows.vectors.buffer, result.rows.tokenIds.buffer]
        : result.kind === "locate"
          ? [result.rows.tokenIds, result.rows.parts, result.rows.starts, result.rows.ends].map(
              (a) => a.buffer,
            )
          : [];
  return move({ [transferableSymbol]: large, [valueSymbol]: result });
}
