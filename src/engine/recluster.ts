/**
 * A new codec for an index that has outgrown the one of its first documents: trained from the stored vectors, which are
 * then compressed with it. They were compressed before, so a little precision is lost a second time; how much is
 * measured on passages of the index.
 */
import { Random } from "../common/random.js";
import { buildSegments } from "../indexing/build.js";
import { placeOfPassage } from "../indexing/segment.js";
import { packQuery } from "../kernels/pack.js";
import { searchParameters } from "../search/parameters.js";
import { decodePassage } from "../search/rescore.js";
import { searchSnapshot } from "../search/search.js";
import { Workspace } from "../search/workspace.js";
import type { LoadedSnapshot } from "./load-snapshot.js";
import { inOrder, type MergeOptions } from "./merging.js";
import { DEFAULT_K } from "./options.js";
import { routerFor } from "./routers.js";
import { StoredPassages, StoredVectors } from "./stored-passages.js";
import type { Writer } from "./write-session.js";

export interface ReclusterReport {
  readonly centroids: { readonly before: number; readonly after: number };
  /**
   * What it costs, measured with passages of the index: the mean cosine of stored vectors before and after, and the share
   * of the 10 best documents for a passage that are the same before and after.
   */
  readonly quality: { readonly cosine: number; readonly sameTop10: number; readonly passages: number };
}

const MEASURED_PASSAGES = 64;
/** Token vectors of a passage that make a query. */
const QUERY_TOKENS = 32;

/** One generation. Null when the index holds no token vectors. */
export async function recluster(
  writer: Writer,
  { signal, onProgress }: MergeOptions,
): Promise<{ readonly report: ReclusterReport; readonly droppedPassages: number } | null> {
  const before = await writer.open();
  const { catalog, codec, search } = before;
  if (codec === null || search === null || catalog.tokens === 0) return null;
  const segments = inOrder(before);
  const queue = new StoredPassages(segments);
  const built = await buildSegments({
    folder: writer.context.folder,
    indexId: catalog.indexId,
    queue,
    source: new StoredVectors(codec.codec, segments),
    kernels: writer.context.kernels,
    codec: null,
    indexTokens: 0,
    nbits: catalog.settings.nbits,
    seed: catalog.settings.seed,
    nextSegment: catalog.nextSegment,
    nextCodec: catalog.nextCodec,
    signal,
    onProgress,
  });
  writer.commit({
    operation: "recluster",
    codec: built.codec!,
    segments: built.segments,
    dropSegments: catalog.segments.map(({ segmentNo }) => segmentNo),
    purgeBefore: writer.oldestInUse(),
  });
  const after = await writer.open();
  const quality = await compare(writer, before, after, queue);
  const stored = segments.reduce((sum, { passages }) => sum + passages, 0);
  const centroids = { before: codec.record.centroids, after: built.codec!.centroids };
  return { report: { centroids, quality }, droppedPassages: stored - queue.passages };
}

async function compare(
  writer: Writer,
  before: LoadedSnapshot,
  after: LoadedSnapshot,
  queue: StoredPassages,
): Promise<ReclusterReport["quality"]> {
  const chosen = new Random(before.catalog.settings.seed).sample(MEASURED_PASSAGES, queue.passages);
  const { dim } = before.catalog.settings;
  let cosines = 0;
  let tokens = 0;
  let same = 0;
  let found = 0;
  let passages = 0;
  for (const ordinal of chosen) {
    const passageNo = queue.passageAt(ordinal);
    const old = storedVectors(before, passageNo);
    const now = storedVectors(after, passageNo);
    const count = old.length / dim;
    if (count === 0) continue;
    passages++;
    tokens += count;
    for (let i = 0; i < old.length; i++) cosines += old[i]! * now[i]!;
    const query = old.subarray(0, Math.min(count, QUERY_TOKENS) * dim);
    const first = await bestDocuments(writer, before, query);
    const second = new Set(await bestDocuments(writer, after, query));
    same += first.filter((documentNo) => second.has(documentNo)).length;
    found += first.length;
  }
  return { cosine: cosines / Math.max(1, tokens), sameTop10: same / Math.max(1, found), passages };
}

function storedVectors({ codec, segments }: LoadedSnapshot, passageNo: number): Float32Array {
  const place = placeOfPassage(segments.values(), passageNo);
  if (place === undefined) return new Float32Array(0);
  return decodePassage(codec!.codec, place.segment, place.ordinal);
}

async function bestDocuments(
  { context }: Writer,
  { search }: LoadedSnapshot,
  vectors: Float32Array,
): Promise<number[]> {
  const { codec } = search!;
  const parameters = searchParameters(DEFAULT_K, {});
  const packed = packQuery(vectors, vectors.length / codec.dim, codec.dim);
  const router = await routerFor(parameters.router, codec, context.kernels);
  const workspace = new Workspace();
  const [outcome] = searchSnapshot(search!, [{ packed, vectors, k: DEFAULT_K, parameters }], {
    kernels: context.kernels,
    router,
    workspace,
  });
  return outcome!.ranked.map(({ documentNo }) => documentNo);
}
