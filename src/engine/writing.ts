/** Adding and deleting: one writer at a time, each call one generation. */

import { throwIfAborted } from "../common/abort.js";
import { isMaxsimError } from "../common/errors.js";
import type { Logger } from "../common/logger.js";
import { Catalog } from "../documents/catalog.js";
import { removeGarbage } from "../documents/garbage.js";
import type { Snapshot } from "../documents/records.js";
import { Staging } from "../documents/staging.js";
import { buildSegments, type VectorSource } from "../indexing/build.js";
import { spillVectors } from "../indexing/passage-vectors.js";
import type { KernelBackend } from "../kernels/backend.js";
import { quantizeVectors } from "../kernels/pack.js";
import type { FileMapper } from "../storage/file-mapper.js";
import { WriterLock } from "../storage/lock.js";
import { SpillFile } from "../storage/spill-file.js";
import { JournaledSource } from "./journaled-source.js";
import { type LoadedSnapshot, loadSnapshot } from "./load-snapshot.js";
import type { ModelHandle } from "./model-handle.js";
import type { AddOptions, AddReport, DeleteReport, EmbeddedDocument } from "./options.js";
import { checkedTokenIds, normalizedRows } from "./rows.js";
import { EncodedSource, SpilledSource } from "./sources.js";
import { type Documents, Replacements, stageDocuments, wholeSpan } from "./stage.js";

export interface WriteContext {
  readonly folder: string;
  readonly kernels: KernelBackend;
  readonly mapper: FileMapper | undefined;
  readonly logger: Logger;
  /** What this object has loaded so far; its files are taken over when they are still current. */
  readonly loaded: LoadedSnapshot | null;
}

/** Runs `work` under the writer lock on the newest generation, after clearing what a crash left behind. */
async function withWriter<T>(
  context: WriteContext,
  work: (catalog: Catalog, current: LoadedSnapshot) => Promise<T>,
): Promise<T> {
  const lock = WriterLock.acquire(context.folder);
  try {
    const catalog = Catalog.open(context.folder, { readOnly: false });
    try {
      await removeGarbage(context.folder, catalog.snapshot());
      return await work(catalog, await loadSnapshot(context.folder, catalog, context.loaded, context.mapper));
    } finally {
      catalog.close();
    }
  } finally {
    lock.release();
  }
}

/** Stages with `stage`, builds with the source that it returns, and commits. Nothing is left behind by a failure. */
function addStaged(
  context: WriteContext,
  options: AddOptions,
  stage: (staging: Staging, replacements: Replacements, snapshot: Snapshot) => Promise<VectorSource>,
): Promise<AddReport> {
  return withWriter(context, async (catalog, current) => {
    const { catalog: snapshot } = current;
    const staging = Staging.create(context.folder, {
      firstDocument: snapshot.nextDocument,
      firstPassage: snapshot.nextPassage,
    });
    let journaled: JournaledSource | undefined;
    try {
      const replacements = new Replacements(catalog);
      const source = await stage(staging, replacements, snapshot);
      if (source instanceof JournaledSource) journaled = source;
      const { documents, passages } = staging;
      const replaced = replacements.documentNos.length;
      if (documents === 0) {
        return {
          generation: snapshot.generation,
          documents,
          replaced,
          passages,
          tokens: 0,
          emptyPassages: 0,
          resumed: 0,
        };
      }
      const built = await buildSegments({
        folder: context.folder,
        indexId: snapshot.indexId,
        staging,
        source,
        kernels: context.kernels,
        codec: current.codec,
        nbits: snapshot.settings.nbits,
        seed: snapshot.settings.seed,
        firstPassage: snapshot.nextPassage,
        nextSegmentNo: 1 + Math.max(0, ...snapshot.segments.map(({ segmentNo }) => segmentNo)),
        signal: options.signal,
        onProgress: options.onProgress,
      });
      throwIfAborted(options.signal, "adding documents");
      options.onProgress?.({ stage: "commit", done: 0, total: documents, unit: "documents" });
      const generation = catalog.commit({
        staging,
        ...(built.codec === null ? {} : { codec: built.codec }),
        segments: built.segments,
        deleteDocuments: replacements.documentNos,
      });
      if (journaled !== undefined) await removeJournal(journaled, context.logger);
      options.onProgress?.({ stage: "commit", done: documents, total: documents, unit: "documents" });
      return {
        generation,
        documents,
        replaced,
        passages,
        tokens: built.tokens,
        emptyPassages: built.emptyPassages,
        resumed: journaled?.resumed ?? 0,
      };
    } finally {
      await journaled?.close();
      staging.remove();
    }
  });
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
  return addStaged(context, options, async (staging, replacements, { indexId, settings }) => {
    await stageDocuments(documents, staging, replacements, splitting, options.signal, options.onProgress);
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
    return await addStaged(context, options, async (staging, replacements) => {
      const records = await SpillFile.create(context.folder);
      spill = records;
      let tokens = 0;
      for await (const { vectors, tokenIds, text = "", ...document } of documents) {
        throwIfAborted(options.signal, "adding documents");
        const name = `document ${JSON.stringify(document.id)}`;
        const rows = normalizedRows(name, vectors, dim);
        staging.addDocument({ ...document, text }, [wholeSpan(text)]);
        replacements.add(document.id);
        const count = rows.length / dim;
        const ids = tokenIds === undefined ? null : checkedTokenIds(name, tokenIds, count);
        await spillVectors(records, { vectors: quantizeVectors(rows, count, dim), tokenIds: ids });
        tokens += count;
      }
      replacements.flush();
      staging.flush();
      await records.finish();
      return new SpilledSource(dim, tokens / Math.max(1, records.records), records, staging.firstPassage);
    });
  } finally {
    await spill?.remove();
  }
}

/** Deletes documents by id; ids that are not there are counted out. */
export function deleteDocuments(context: WriteContext, ids: readonly string[]): Promise<DeleteReport> {
  return withWriter(context, async (catalog, { catalog: snapshot }) => {
    const found = catalog.liveIds([...new Set(ids)]);
    if (found.size === 0) return { generation: snapshot.generation, deleted: 0 };
    const generation = catalog.commit({
      segments: [],
      deleteDocuments: [...found.values()].sort((a, b) => a - b),
    });
    return { generation, deleted: found.size };
  });
}
