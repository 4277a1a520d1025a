/** What the catalog records and hands out; all plain data. */
import type { JsonValue } from "../common/json.js";
import type { LexicalKind } from "../lexical/types.js";
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
  /** How words are found; absent where the catalog has no full-text table, as with "off". */
  readonly lexical?: LexicalKind;
}

/** How an index finds words. */
export function lexicalKind({ lexical = "off" }: Pick<IndexSettings, "lexical">): LexicalKind {
  return lexical;
}

export interface SegmentRecord {
  /** Unique in the index; never given twice. */
  readonly segmentNo: number;
  readonly file: FileRecord;
  /** The codec that its tokens were compressed with. */
  readonly codecNo: number;
  /** Numbers of its first and last passage; numbers between them may be missing. */
  readonly firstPassage: number;
  readonly lastPassage: number;
  readonly passages: number;
  readonly tokens: number;
}

export interface CodecRecord {
  readonly codecNo: number;
  /** The codec that this one extends by further centroids; null for one that was trained on its own. */
  readonly baseCodecNo: number | null;
  readonly file: FileRecord;
  readonly centroids: number;
}

/** What made a generation. */
export const OPERATIONS = [
  "create",
  "add",
  "delete",
  "update",
  "sync",
  "compact",
  "recluster",
  "repair",
] as const;

export type Operation = (typeof OPERATIONS)[number];

/** One line of the history of an index. */
export interface GenerationRecord {
  readonly generation: number;
  readonly operation: Operation;
  /** Documents that it added and took away. */
  readonly added: number;
  readonly removed: number;
  /** Live documents, passages and token vectors from then on. */
  readonly documents: number;
  readonly passages: number;
  readonly tokens: number;
  readonly segments: number;
}

/** A path that documents were read from. */
export interface RootInput {
  /** Absolute. */
  readonly path: string;
  /** What ids of its documents begin with: empty, or a name and a slash. */
  readonly prefix: string;
  /** How it was read. */
  readonly options: JsonValue;
}

export interface RootRecord extends RootInput {
  readonly rootNo: number;
}

/** A file that documents were read from, as it was then. */
export interface SourceInput {
  readonly rootNo: number;
  /** Absolute. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Time of its last change, whole milliseconds since 1970. */
  readonly modified: number;
  /** SHA-256 of its bytes, hexadecimal. */
  readonly sha256: string;
}

export interface SourceRecord extends SourceInput {
  readonly sourceNo: number;
}

/** New values of a document; what is absent stays, null takes it away. Text and passages stay as they are. */
export interface DocumentUpdate {
  readonly documentNo: number;
  readonly id?: string;
  readonly title?: string | null;
  readonly url?: string | null;
  readonly metadata?: Metadata | null;
  readonly source?: { readonly path: string; readonly line?: number } | null;
}

/** One generation of the index. */
export interface Snapshot {
  readonly generation: number;
  /** 32 hexadecimal digits. */
  readonly indexId: string;
  readonly settings: IndexSettings;
  readonly codec: CodecRecord | null;
  /** Every codec that a segment names, by number; the index's own among them. */
  readonly codecs: ReadonlyMap<number, CodecRecord>;
  /** By ascending passage numbers, which do not overlap. */
  readonly segments: readonly SegmentRecord[];
  /** Live documents; passages and tokens are those of live documents, too. */
  readonly documents: number;
  readonly passages: number;
  readonly tokens: number;
  /** Number that the next document gets; numbers are never given twice. */
  readonly nextDocument: number;
  readonly nextPassage: number;
  /** Numbers for new rows. */
  readonly nextSegment: number;
  readonly nextCodec: number;
  readonly nextRoot: number;
  readonly roots: number;
  readonly sources: number;
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

/** A document without its text. */
export type DocumentSummary = Omit<StoredDocument, "text">;

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

/** A condition on rows of `documents` and the values of its `?`. */
export interface RowCondition {
  readonly sql: string;
  readonly parameters: readonly (string | number | null)[];
}

/** What the catalog says of a passage that a segment holds. */
export interface PassageFact {
  readonly passageNo: number;
  readonly documentNo: number;
  readonly tokens: number;
  /** Whether its document is deleted in the generation. */
  readonly deleted: boolean;
}

/** Passages of a deleted document, whose rows may be gone. */
export interface DeletedPassages {
  readonly documentNo: number;
  readonly firstPassage: number;
  readonly passages: number;
}

/** What documents hold in some fields. */
export interface FieldValues {
  /** Ascending. */
  readonly documents: readonly number[];
  /** `[field][document]`: the value as JSON, "" where it is missing; null when a value is longer than 512 characters. */
  readonly values: readonly (readonly string[] | null)[];
}
