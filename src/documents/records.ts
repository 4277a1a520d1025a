/** What the catalog records and hands out; all plain data. */
import type { JsonValue } from "../common/json.js";
import type { Metadata } from "./types.js";

/** A published binary file. */
export interface FileRecord {
  /** Path relative to the index folder, such as `segments/<file id>.segment`. */
  readonly name: string;
  /** Bytes. */
  readonly length: number;
  /** CRC-32 of the whole file. */
  readonly crc32: number;
  /** SHA-256 of the whole file, hexadecimal. */
  readonly sha256: string;
  /** 32 hexadecimal digits. */
  readonly fileId: string;
}

/** What is fixed when an index is created. */
export interface IndexSettings {
  /** Dimension of the token vectors, 1 to 65,535. */
  readonly dim: number;
  /** Bits that one dimension of a residual takes. */
  readonly nbits: 1 | 2 | 4;
  readonly seed: number;
  /** Null for an index of precomputed token vectors. */
  readonly model: { readonly name: string; readonly fingerprint: string } | null;
  readonly options: JsonValue;
}

export interface SegmentRecord {
  /** Unique in the index; never given twice. */
  readonly segmentNo: number;
  readonly file: FileRecord;
  /** The segment holds the passages firstPassage .. firstPassage + passages - 1. */
  readonly firstPassage: number;
  readonly passages: number;
  readonly tokens: number;
}

export interface CodecRecord {
  readonly codecNo: number;
  readonly file: FileRecord;
  readonly centroids: number;
}

/** One generation of the index. */
export interface Snapshot {
  readonly generation: number;
  /** 32 hexadecimal digits. */
  readonly indexId: string;
  readonly settings: IndexSettings;
  readonly codec: CodecRecord | null;
  /** By ascending segment number. */
  readonly segments: readonly SegmentRecord[];
  /** Live documents; passages and tokens are those of live documents, too. */
  readonly documents: number;
  readonly passages: number;
  readonly tokens: number;
  /** Number that the next document gets; numbers are never given twice. */
  readonly nextDocument: number;
  readonly nextPassage: number;
}

export interface StoredDocument {
  readonly documentNo: number;
  readonly id: string;
  readonly text: string;
  readonly title?: string;
  readonly url?: string;
  /** Empty when the document has none. */
  readonly metadata: Metadata;
  readonly source?: { readonly path: string; readonly line?: number };
  /** Its passages are firstPassage .. firstPassage + passages - 1. */
  readonly firstPassage: number;
  readonly passages: number;
  readonly tokens: number;
}

export interface StoredPassage {
  readonly passageNo: number;
  readonly documentNo: number;
  /** UTF-16 code units of the document's text. */
  readonly start: number;
  readonly end: number;
  /** 1-based, inclusive. */
  readonly lineStart: number;
  readonly lineEnd: number;
  readonly tokens: number;
  /** Text put before the passage when it was encoded; may be empty. */
  readonly context: string;
}
