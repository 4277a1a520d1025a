/** Adding, deleting and updating: one writer at a time, each call one generation. */

import { throwIfAborted } from "../common/abort.js";
import { describe, invalidArgument } from "../common/check.js";
import { isMaxsimError, MaxsimError } from "../common/errors.js";
import type { Logger } from "../common/logger.js";
import type { CatalogChange, RowCondition } from "../documents/catalog.js";
import { checkId } from "../documents/check-document.js";
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
import { type Origin, originChange, type Remembered } from "./origin.js";
import { checkedTokenIds, normalizedRows } from "./rows.js";
import { EncodedSource, SpilledSource } from "./sources.js";
import {
  checkedObject,
  DocumentStager,
  type Documents,
  requireIterable,
  stageDocuments,
  wholeSpan,
} from "./stage.js";
import { type WriteContext, type Writer, withWriter } from "./writer.js";

/** What the command line, which reads files, says beyond the public options. */
export interface OriginalAddOptions extends AddOptions {
  /** Where the documents come from, for later syncs. */
  readonly origin?: Origin;
}

/** What the command line says beyond the public patches. */
export interface MergingPatch extends DocumentPatch {
  /** Put the keys of `metadata` into the metadata that is there; keys of keys are replaced. Default false. */
  readonly merge?: boolean;
}

/** Runs `work` with a source of vectors for the staged passages. */
export type WithSource = <T>(writer: Writer, work: (source: VectorSource) => Promise<T>) => Promise<T>;

/** Stages with `stage`, builds with the source that it returns, and commits. Nothing is left behind by a failure. */
function addStaged(
  context: WriteContext,
  options: OriginalAddOptions,
  stage: (stager: DocumentStager, staging: Staging) => Promise<WithSource>,
): Promise<AddReport> {
  return withWriter(context, async (writer) => {
    const { snapshot } = writer;
    const staging = Staging.create(context.folder, {
      firstDocument: snapshot.nextDocument,
      firstPassage: snapshot.nextPassage,
    });
    try {
      const stager = new DocumentStager(writer.catalog, staging, checkOnDuplicate(options));
      const withSource = await stage(stager, staging);
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
      return await withSource(writer, async (source) => {
        const built = await buildStaged(writer, staging, source, options);
        throwIfAborted(options.signal, "adding documents");
        options.onProgress?.({ stage: "commit", done: 0, total: documents, unit: "documents" });
        const generation = writer.commit({
          operation: "add",
          staging,
          ...built.change,
          deleteDocuments: stager.replaced,
          ...(options.origin === undefined ? {} : originChange(options.origin, rememberedBy(writer))),
        });
        options.onProgress?.({ stage: "commit", done: documents, total: documents, unit: "documents" });
        const { tokens, emptyPassages } = built;
        const resumed = source instanceof JournaledSource ? source.resumed : 0;
        return { generation, ...counts, tokens, emptyPassages, resumed };
      });
    } finally {
      staging.remove();
    }
  });
}

function rememberedBy({ catalog, snapshot }: Writer): Remembered {
  return {
    roots: catalog.roots(snapshot),
    sources: catalog.sources(snapshot),
    nextRoot: snapshot.nextRoot,
  };
}

/**
 * Runs `work`, which ends with a commit, with the encoder of the model. What is encoded is kept in the journal of the
 * index until `work` has succeeded, so that a write that was cut short goes on where it stopped.
 */
export async function withEncoder<T>(
  { context, snapshot }: Writer,
  model: ModelHandle,
  work: (source: JournaledSource) => Promise<T>,
): Promise<T> {
  const pool = await model.encoder();
  const { indexId, settings } = snapshot;
  // An index without a model has no encoder.
  const owner = { indexId, fingerprint: settings.model!.fingerprint };
  const source = await JournaledSource.open(new EncodedSource(pool), context.folder, owner);
  try {
    const done = await work(source);
    await removeJournal(source, context.logger);
    return done;
  } finally {
    await source.close();
  }
}

/** What was committed stays committed: a journal that cannot be removed is worth a warning. */
async function removeJournal(source: JournaledSource, logger: Logger): Promise<void> {
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
    queue: staging,
    source,
    kernels,
    codec,
    indexTokens: snapshot.tokens,
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
  options: OriginalAddOptions,
): Promise<AddReport> {
  const tokenizer = await model.documentTokenizer();
  const splitting = {
    budget: tokenizer.documentBudget,
    countTokens: (text: string) => tokenizer.countTokens(text),
  };
  return addStaged(context, options, async (stager) => {
    await stageDocuments(documents, stager, splitting, options.signal, options.onProgress);
    return (writer, work) => withEncoder(writer, model, work);
  });
}

/** Each document becomes one passage with the vectors that it brings. */
export async function addVectors(
  context: WriteContext,
  dim: number,
  documents: Iterable<EmbeddedDocument> | AsyncIterable<EmbeddedDocument>,
  options: AddOptions,
): Promise<AddReport> {
  requireIterable(documents);
  let spill: SpillFile | undefined;
  try {
    return await addStaged(context, options, async (stager, staging) => {
      const records = await SpillFile.create(context.folder);
      spill = records;
      let tokens = 0;
      for await (const given of documents) {
        throwIfAborted(options.signal, "adding documents");
        const { vectors, tokenIds, text = "", ...document } = checkedObject("a document", given);
        const name = `document ${JSON.stringify(document.id)}`;
        const rows = normalizedRows(name, vectors, dim);
        if (!stager.add({ ...document, text }, [wholeSpan(text)])) continue;
        const count = rows.length / dim;
        const ids = tokenIds === undefined ? null : checkedTokenIds(name, tokenIds, count);
        await spillVectors(records, { vectors: quantizeVectors(rows, count, dim), tokenIds: ids });
        tokens += count;
      }
      await records.finish();
      const perPassage = tokens / Math.max(1, records.records);
      const source = new SpilledSource(dim, perPassage, records, staging.firstPassage);
      return (_, work) => work(source);
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
  patches: readonly MergingPatch[],
): Promise<UpdateReport> {
  return withWriter(context, async (writer) => {
    const { snapshot, catalog } = writer;
    const numbers = catalog.liveIds(patches.map((patch) => checkId(checkedObject("a patch", patch).id)));
    const seen = new Set<string>();
    const updates = patches.map(({ id, merge, ...values }) => {
      const documentNo = numbers.get(id);
      if (documentNo === undefined) {
        throw new MaxsimError("UNKNOWN_DOCUMENT", `there is no document ${describe(id)}`, {
          hint: "Add it first; nothing was changed.",
        });
      }
      if (seen.has(id)) throw invalidArgument("updates", "each document once", id);
      seen.add(id);
      if (merge !== true || !values.metadata) return { documentNo, ...values };
      const present = catalog.documentById(id, snapshot)?.metadata;
      return { documentNo, ...values, metadata: { ...present, ...values.metadata } };
    });
    if (updates.length === 0) return { generation: snapshot.generation, updated: 0 };
    const generation = writer.commit({ operation: "update", updateDocuments: updates });
    return { generation, updated: updates.length };
  });
}
