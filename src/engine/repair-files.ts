/** Repair of the files of the newest generation, and the commit that makes it visible. */
import { join } from "node:path";
import type { Codec } from "../codec/codec.js";
import { decodeCodecFile } from "../codec/codec-file.js";
import { codecPrefix } from "../codec/codec-prefix.js";
import { isMaxsimError } from "../common/errors.js";
import type { CodecRecord, SegmentRecord, Snapshot } from "../documents/records.js";
import { RepairFolder } from "../storage/repair-folder.js";
import { readSectionFile } from "../storage/section-reader.js";
import type { RepairEncoder } from "./repair-encoder.js";
import { rebuildIndex } from "./repair-rebuild.js";
import type { LostDocument, RepairOptions, RepairStep, UnrepairedDamage } from "./repair-report.js";
import { repairSegment } from "./repair-segment.js";
import type { Writer } from "./write-session.js";

export interface FileRepair {
  readonly repaired: readonly RepairStep[];
  readonly left: readonly UnrepairedDamage[];
  readonly lost: readonly LostDocument[];
  readonly encoded: number;
  /** Whether a generation was made. */
  readonly committed: boolean;
}

/** Mends the files of which `damaged` holds the names. Errors: ABORTED, DISK_FULL, IO, INTERNAL. */
export async function repairFiles(
  writer: Writer,
  damaged: ReadonlySet<string>,
  encoder: RepairEncoder | null,
  options: RepairOptions,
): Promise<FileRepair> {
  const { snapshot } = writer;
  const { folder } = writer.context;
  const work = await RepairFolder.create(folder);
  try {
    const codec = await openCodec(folder, snapshot);
    if (codec === undefined) return await rebuildIndex({ writer, snapshot, work, encoder, options });
    return await repairSegments(writer, snapshot, codec, work, damaged, encoder, options);
  } finally {
    await work.remove();
  }
}

async function repairSegments(
  writer: Writer,
  snapshot: Snapshot,
  codec: Codec,
  work: RepairFolder,
  damaged: ReadonlySet<string>,
  encoder: RepairEncoder | null,
  options: RepairOptions,
): Promise<FileRepair> {
  const { folder, kernels } = writer.context;
  const repaired: RepairStep[] = [];
  const left: UnrepairedDamage[] = [];
  const lost = new Set<number>();
  const placed: string[] = [];
  const added: SegmentRecord[] = [];
  const dropped: number[] = [];
  const obsolete: string[] = [];
  let encoded = 0;
  for (const record of snapshot.segments.filter(({ file }) => damaged.has(file.name))) {
    const outcome = await repairSegment({
      folder,
      work,
      catalog: writer.catalog,
      snapshot,
      record,
      codec: await codecOf(folder, snapshot, record, codec),
      kernels,
      source: encoder === null ? null : () => encoder.source(),
      drop: options.dropDamaged === true,
      dryRun: options.dryRun === true,
      signal: options.signal,
      onProgress: options.onProgress,
    });
    const file = record.file.name;
    if (outcome.kind === "left") {
      left.push({ file, what: outcome.what, needs: outcome.needs });
      // A dry run tells what the option that is missing would cost.
      if (options.dryRun === true) for (const documentNo of outcome.lost) lost.add(documentNo);
      continue;
    }
    repaired.push({ file, what: outcome.what });
    encoded += outcome.encoded;
    for (const documentNo of outcome.lost) lost.add(documentNo);
    const { written } = outcome;
    if (written !== null) placed.push(written.file.name);
    if (outcome.same) continue;
    dropped.push(record.segmentNo);
    if (written === null) continue;
    const segmentNo = snapshot.nextSegment + added.length;
    added.push({ segmentNo, codecNo: record.codecNo, ...written });
  }
  for (const { file } of extendedCodecs(snapshot).filter((record) => damaged.has(record.file.name))) {
    repaired.push({ file: file.name, what: "was removed: the codec that extends it holds all that it held" });
    obsolete.push(file.name);
  }
  const numbers = [...lost].sort((a, b) => a - b);
  const names = namesOf(writer, snapshot, numbers);
  const changed = placed.length > 0 || dropped.length > 0 || obsolete.length > 0;
  if (options.dryRun !== true && changed) {
    for (const name of placed) await work.place(name);
    for (const name of obsolete) await work.unpublish(name);
    writer.commit({ operation: "repair", segments: added, dropSegments: dropped, deleteDocuments: numbers });
  }
  return { repaired, left, lost: names, encoded, committed: options.dryRun !== true && changed };
}

function namesOf({ catalog }: Writer, { generation }: Snapshot, numbers: readonly number[]): LostDocument[] {
  return numbers.map((documentNo) => {
    try {
      return { documentNo, id: catalog.documents([documentNo], generation).get(documentNo)!.id };
    } catch (error) {
      if (!isMaxsimError(error) || error.code !== "CORRUPT") throw error;
      return { documentNo, id: null };
    }
  });
}

/** The codecs that the one of the index extends. */
function extendedCodecs({ codec, codecs }: Snapshot): CodecRecord[] {
  return [...codecs.values()].filter(({ codecNo }) => codecNo !== codec?.codecNo);
}

/** The codec of the index; undefined when it cannot be used. */
async function openCodec(folder: string, snapshot: Snapshot): Promise<Codec | undefined> {
  const { codec } = snapshot;
  return codec === null ? undefined : await readCodec(folder, snapshot, codec.codecNo);
}

async function readCodec(folder: string, snapshot: Snapshot, codecNo: number): Promise<Codec | undefined> {
  const { file, centroids } = snapshot.codecs.get(codecNo) ?? snapshot.codec!;
  const { name, length, fileId } = file;
  try {
    const opened = await readSectionFile(join(folder, name), {
      type: "codec",
      indexId: snapshot.indexId,
      length,
      fileId,
    });
    const codec = decodeCodecFile(opened);
    return codec.codebook.size === centroids ? codec : undefined;
  } catch (error) {
    if (isMaxsimError(error) && ["CORRUPT", "PATH_NOT_FOUND", "FORMAT_TOO_NEW", "IO"].includes(error.code)) {
      return undefined;
    }
    throw error;
  }
}

/** The codec that a segment was written with: its own file, or the beginning of the one that extends it. */
async function codecOf(
  folder: string,
  snapshot: Snapshot,
  { codecNo }: SegmentRecord,
  codec: Codec,
): Promise<Codec> {
  if (codecNo === snapshot.codec?.codecNo) return codec;
  const { centroids } = snapshot.codecs.get(codecNo)!;
  return (await readCodec(folder, snapshot, codecNo)) ?? codecPrefix(codec, centroids);
}
