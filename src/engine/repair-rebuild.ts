/** A new codec and new segments from all texts, for an index whose codec is lost: without it no stored vector can be read. */
import { isMaxsimError } from "../common/errors.js";
import type { Snapshot } from "../documents/records.js";
import { buildSegments } from "../indexing/build.js";
import type { RepairFolder } from "../storage/repair-folder.js";
import { CatalogPassages } from "./catalog-passages.js";
import type { RepairEncoder } from "./repair-encoder.js";
import type { FileRepair } from "./repair-files.js";
import type { RepairOptions, UnrepairedDamage } from "./repair-report.js";
import type { Writer } from "./write-session.js";

export interface RebuildJob {
  readonly writer: Writer;
  readonly snapshot: Snapshot;
  readonly work: RepairFolder;
  /** Null for an index of vectors. */
  readonly encoder: RepairEncoder | null;
  readonly options: RepairOptions;
}

/** Errors: ABORTED, DISK_FULL, IO. */
export async function rebuildIndex({
  writer,
  snapshot,
  work,
  encoder,
  options,
}: RebuildJob): Promise<FileRepair> {
  const { catalog } = writer;
  const { nextPassage, settings, passages: live, tokens } = snapshot;
  const file = snapshot.codec!.file.name;
  const nothing = { repaired: [], lost: [], encoded: 0, committed: false };
  const leave = (what: string, needs: UnrepairedDamage["needs"]): FileRepair => ({
    ...nothing,
    left: [{ file, what, needs }],
  });
  if (encoder === null) {
    return leave("without it no stored vector can be read, and there are no texts to encode again", "backup");
  }
  const cost = `all ${live} passages, ${tokens} token vectors`;
  if (options.rebuild !== true) {
    return leave(
      `without it no stored vector can be read; a rebuild encodes ${cost}, again from their texts`,
      "rebuild",
    );
  }
  const repaired = [{ file, what: `a new codec and new segments of ${cost}, were made from the texts` }];
  if (options.dryRun === true) return { ...nothing, repaired, left: [], encoded: live };
  const facts = [...catalog.passageFacts(snapshot, 0, nextPassage)].filter(({ deleted }) => !deleted);
  try {
    const built = await buildSegments({
      folder: work.path,
      indexId: snapshot.indexId,
      queue: new CatalogPassages(catalog, snapshot, facts),
      source: await encoder.source(),
      kernels: writer.context.kernels,
      codec: null,
      indexTokens: 0,
      nbits: settings.nbits,
      seed: settings.seed,
      nextSegment: snapshot.nextSegment,
      nextCodec: snapshot.nextCodec,
      signal: options.signal,
      onProgress: options.onProgress,
    });
    const { codec, segments } = built;
    if (codec === null) return leave("the texts give no token vectors", "backup");
    for (const record of [codec, ...segments]) await work.place(record.file.name);
    const dropSegments = snapshot.segments.map(({ segmentNo }) => segmentNo);
    writer.commit({ operation: "repair", codec, segments, dropSegments });
    return { repaired, left: [], lost: [], encoded: facts.length, committed: true };
  } catch (error) {
    if (!isMaxsimError(error)) throw error;
    const ofModel = error.code.startsWith("MODEL_") || error.code === "NETWORK";
    if (!ofModel && error.code !== "CORRUPT") throw error;
    return leave(`the texts cannot be encoded again: ${error.message}`, ofModel ? "model" : "dropDamaged");
  }
}
