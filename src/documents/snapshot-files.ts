/** The published files that make up a generation. */
import type { FileType } from "../storage/file-names.js";
import type { FileRecord, Snapshot } from "./records.js";

export interface NamedFile extends FileRecord {
  readonly type: FileType;
}

/** Each file once, codecs first. */
export function snapshotFiles({ codec, segments }: Snapshot): NamedFile[] {
  const codecs = codec === null ? [] : [{ type: "codec" as const, ...codec.file }];
  return [...codecs, ...segments.map(({ file }) => ({ type: "segment" as const, ...file }))];
}
