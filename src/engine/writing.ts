/** Adding, deleting and updating: one writer at a time, each call one generation. */

import { throwIfAborted } from "../common/abort.js";
import { describe, invalidArgument } from "../common/check.js";
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import type { Logger } from "../common/logger.js";
import type { CatalogChange, RowCondition } from "../documents/catalog.js";
import { checkId } from "../documents/check-document.js";
import type { Snapshot } from "../documents/records.js";
import { type OnDuplicate, Staging } from "../documents/staging.js";
import { buildSegments, type VectorSource } from "../indexing/build.js";
import { spillVectors } from "../indexing/passage-vectors.js";
import { quantizeVectors } from "../kernels/pack.js";
import { SpillFile } from "../storage/spill-file.js";
import { JournaledSource } from "./journaled-source.js";
import type { ModelHandle } from "./model-handle.js";
import type {
  AddOptions,
  AddReport,
  DeleteReport,
  DocumentPatch,
  EmbeddedDocument,
  UpdateReport,
} from "./options.js";
import { checkedTokenIds, normalizedRows } from "./rows.js";
import { EncodedSource, SpilledSource } from "./sources.js";
import { DocumentStager, type Documents, stageDocuments, wholeSpan } from "./stage.js";
import { type WriteContext, type Writer, withWriter } from "./writer.js";

/** Stages with `stage`, builds with the source that it returns, and commits. Nothing is left behind by a failure. */
export function addStaged(
  context: WriteContext,
  options: AddOptions,
  stage: (stager: DocumentStager, staging: Staging, snapshot: Snapshot) => Promise<VectorSource>,
): Promise<AddReport> {
  return withWriter(context, async (writer) => {
    const { snapshot } = writer;
    const staging = Staging.create(context.folder, {
      firstDocument: snapshot.nextDocument,
      firstPassage: snapshot.nextPassage,
    });
    let journaled: JournaledSource | undefined;
    try {
      const stager = new DocumentStager(writer.catalog, snapshot, staging, checkOnDuplicate(options));
      const source = await stage(stager, staging, snapshot);
      if (source instanceof JournaledSource) journaled = source;
      stager.finish();
      const { documents, passages } = staging;
      const counts = {
        documents,
        replaced: stager.replaced.length,
        superseded: staging.replaced,
        skipped: stager.skipped,
        passages,
      };
      if (documents === 0) {
        return { generation: snapshot.generation, ...counts, tokens: 0, emptyPassages: 0, resumed: 0 };
      }
      const built = await buildStaged(writer, staging, source, options);
      throwIfAborted(options.signal, "adding documents");
      options.onProgress?.({ stage: "commit", done: 0, total: documents, unit: "documents" });
      const generation = writer.commit({
        operation: "add",
        staging,
        ...built.change,
        deleteDocuments: stager.replaced,
      });
      if (journaled !== undefined) await removeJournal(journaled, context.logger);
      options.onProgress?.({ stage: "commit", done: documents, total: documents, unit: "documents" });
      const { tokens, emptyPassages } = built;
      return { generation, ...counts, tokens, emptyPassages, resumed: journaled?.resumed ?? 0 };
    } finally {
      await journaled?.close();
      staging.remove();
    }
  });
}

/** What was committed stays committed: a journal that cannot be removed is worth a warning. */
export async function removeJournal(source: JournaledSource, logger: Logger): Promise<void> {
  try {
    await source.remove();
  } catch (error) {
    if (!isMaxsimError(error)) throw error;
    logger.warn(`the journal of this add stays: ${error.message}`);
  }
}

const POLICIES: readonly OnDuplicate[] = ["replace", "skip", "error"];

function checkOnDuplicate({ onDuplicate = "replace" }: AddOptions): OnDuplicate {
  if (POLICIES.includes(onDuplicate)) return onDuplicate;
  throw invalidArgument("onDuplicate", POLICIES.map((name) => `"${name}"`).join(", "), onDuplicate);
}

/** Files of the staged passages, ready to be committed. */
export async function buildStaged(
  writer: Writer,
  staging: Staging,
  source: VectorSource,
  { signal, onProgress }: AddOptions,
): Promise<{
  readonly change: Pick<CatalogChange, "codec" | "segments">;
  tokens: number;
  emptyPassages: number;
}> {
  const { folder, kernels } = writer.context;
  const { snapshot } = writer;
  const { codec } = await writer.open();
  const built = await buildSegments({
    folder,
    indexId: snapshot.indexId,
    staging,
    source,
    kernels,
    codec,
    nbits: snapshot.settings.nbits,
    seed: snapshot.settings.seed,
    nextSegment: snapshot.nextSegment,
    nextCodec: snapshot.nextCodec,
    signal,
    onProgress,
  });
  const { segments, tokens, emptyPassages } = built;
  const change = { segments, ...(built.codec === null ? {} : { codec: built.codec }) };
  return { change, tokens, emptyPassages };
}

export async function addDocuments(
  context: WriteContext,
  model: ModelHandle,
  documents: Documents,
  options: AddOptions,
): Promise<AddReport> {
  const [pool, tokenizer] = await Promise.all([model.encoder(), model.documentTokenizer()]);
  const splitting = {
    budget: tokenizer.documentBudget,
    countTokens: (text: string) => tokenizer.countTokens(text),
  };
  return addStaged(context, options, async (stager, _, { indexId, settings }) => {
    await stageDocuments(documents, stager, splitting, options.signal, options.onProgress);
    // An index without a model has no encoder.
    const fingerprint = settings.model!.fingerprint;
    return JournaledSource.open(new EncodedSource(pool), context.folder, { indexId, fingerprint });
  });
}

/** Each document becomes one passage with the vectors that it brings. */
export async function addVectors(
  context: WriteContext,
  dim: number,
  documents: Iterable<EmbeddedDocument> | AsyncIterable<EmbeddedDocument>,
  options: AddOptions,
): Promise<AddReport> {
  let spill: SpillFile | undefined;
  try {
    return await addStaged(context, options, async (stager, staging) => {
      const records = await SpillFile.create(context.folder);
      spill = records;
      let tokens = 0;
      for await (const { vectors, tokenIds, text = "", ...document } of documents) {
        throwIfAborted(options.signal, "adding documents");
        const name = `document ${JSON.stringify(document.id)}`;
        const rows = normalizedRows(name, vectors, dim);
        if (!stager.add({ ...document, text }, [wholeSpan(text)])) continue;
        const count = rows.length / dim;
        const ids = tokenIds === undefined ? null : checkedTokenIds(name, tokenIds, count);
        await spillVectors(records, { vectors: quantizeVectors(rows, count, dim), tokenIds: ids });
        tokens += count;
      }
      await records.finish();
      return new SpilledSource(dim, tokens / Math.max(1, records.records), records, staging.firstPassage);
    });
  } finally {
    await spill?.remove();
  }
}

/** Deletes documents by id, or those that meet a condition; ids that are not there are counted out. */
export function deleteDocuments(
  context: WriteContext,
  wanted: readonly string[] | RowCondition,
): Promise<DeleteReport> {
  return withWriter(context, async (writer) => {
    const { snapshot, catalog } = writer;
    const numbers =
      "sql" in wanted
        ? catalog.matchingDocuments(snapshot, wanted)
        : [...catalog.liveIds([...new Set(wanted)]).values()].sort((a, b) => a - b);
    if (numbers.length === 0) return { generation: snapshot.generation, deleted: 0 };
    const generation = writer.commit({ operation: "delete", deleteDocuments: numbers });
    return { generation, deleted: numbers.length };
  });
}

/** Changes title, url or metadata of documents; nothing is encoded. Errors: INVALID_DOCUMENT, UNKNOWN_DOCUMENT. */
export function updateDocuments(
  context: WriteContext,
  patches: readonly DocumentPatch[],
): Promise<UpdateReport> {
  return withWriter(context, async (writer) => {
    const { snapshot, catalog } = writer;
    const numbers = catalog.liveIds(patches.map(({ id }) => checkId(id)));
    const seen = new Set<string>();
    const updates = patches.map(({ id, ...values }) => {
      const documentNo = numbers.get(id);
      if (documentNo === undefined) {
        throw new MaxsimError("UNKNOWN_DOCUMENT", `there is no document ${describe(id)}`, {
          hint: "Add it first; nothing was changed.",
        });
      }
      if (seen.has(id)) throw invalidArgument("updates", "each document once", id);
      seen.add(id);
      return { documentNo, ...values };
    });
    if (updates.length === 0) return { generation: snapshot.generation, updated: 0 };
    const generation = writer.commit({ operation: "update", updateDocuments: updates });
    return { generation, updated: updates.length };
  });
}
