/**
 * Tables of catalog.sqlite. Every row ends with its checksum (row-checksum.ts). Rows are added and never changed, but
 * for `gen_dropped` and `gen_replaced`, which say from when on a row is history. A generation G sees the rows with
 * gen_added <= G whose gen_dropped or gen_replaced is null or more than G, but for documents that a tombstone with
 * gen_deleted <= G names; texts and passages belong to their document. Rows that no generation in use sees are removed
 * by compaction (purge.ts).
 *
 * A document whose metadata, id or source changes gets a further row of the same number; its text and passages stay.
 * `texts` is apart from `documents`, so that filters and lists do not read every text.
 */

/** "MXSM": identifies the file as a catalog in SQLite's header. */
export const APPLICATION_ID = 0x4d58534d;
/** SQLite's user_version; also `format_version` of each commit record. */
export const CATALOG_VERSION = 1;

/** Columns with their types, in the order that the checksum takes them. */
const COLUMNS = {
  commits: [
    "generation INTEGER PRIMARY KEY",
    "format_version INTEGER NOT NULL",
    "index_id TEXT NOT NULL",
    "settings TEXT NOT NULL",
    "operation TEXT NOT NULL",
    "added INTEGER NOT NULL",
    "removed INTEGER NOT NULL",
    "codec_no INTEGER",
    "segments INTEGER NOT NULL",
    "documents INTEGER NOT NULL",
    "passages INTEGER NOT NULL",
    "tokens INTEGER NOT NULL",
    "next_document INTEGER NOT NULL",
    "next_passage INTEGER NOT NULL",
    "last_document INTEGER",
    "last_passage INTEGER",
    "tombstones INTEGER NOT NULL",
    "roots INTEGER NOT NULL",
    "sources INTEGER NOT NULL",
    "checksum INTEGER NOT NULL",
  ],
  codecs: [
    "codec_no INTEGER PRIMARY KEY",
    "gen_added INTEGER NOT NULL",
    "base_codec_no INTEGER",
    "name TEXT NOT NULL",
    "length INTEGER NOT NULL",
    "crc32 INTEGER NOT NULL",
    "sha256 TEXT NOT NULL",
    "file_id TEXT NOT NULL",
    "centroids INTEGER NOT NULL",
    "checksum INTEGER NOT NULL",
  ],
  segments: [
    "segment_no INTEGER PRIMARY KEY",
    "gen_added INTEGER NOT NULL",
    "gen_dropped INTEGER",
    "name TEXT NOT NULL",
    "length INTEGER NOT NULL",
    "crc32 INTEGER NOT NULL",
    "sha256 TEXT NOT NULL",
    "file_id TEXT NOT NULL",
    "codec_no INTEGER NOT NULL",
    "first_passage INTEGER NOT NULL",
    "last_passage INTEGER NOT NULL",
    "passages INTEGER NOT NULL",
    "tokens INTEGER NOT NULL",
    "checksum INTEGER NOT NULL",
  ],
  documents: [
    "document_no INTEGER NOT NULL",
    "gen_added INTEGER NOT NULL",
    "gen_replaced INTEGER",
    "id TEXT NOT NULL",
    "title TEXT",
    "url TEXT",
    "metadata TEXT",
    "source_path TEXT",
    "source_line INTEGER",
    "first_passage INTEGER NOT NULL",
    "passages INTEGER NOT NULL",
    "tokens INTEGER NOT NULL",
    "checksum INTEGER NOT NULL",
  ],
  texts: ["document_no INTEGER PRIMARY KEY", "text TEXT NOT NULL", "checksum INTEGER NOT NULL"],
  passages: [
    "passage_no INTEGER PRIMARY KEY",
    "document_no INTEGER NOT NULL",
    "start INTEGER NOT NULL",
    '"end" INTEGER NOT NULL',
    "line_start INTEGER NOT NULL",
    "line_end INTEGER NOT NULL",
    "tokens INTEGER NOT NULL",
    "context TEXT NOT NULL",
    "checksum INTEGER NOT NULL",
  ],
  tombstones: [
    "document_no INTEGER PRIMARY KEY",
    "gen_deleted INTEGER NOT NULL",
    "first_passage INTEGER NOT NULL",
    "passages INTEGER NOT NULL",
    "tokens INTEGER NOT NULL",
    "checksum INTEGER NOT NULL",
  ],
  roots: [
    "root_no INTEGER PRIMARY KEY",
    "gen_added INTEGER NOT NULL",
    "gen_dropped INTEGER",
    "path TEXT NOT NULL",
    "prefix TEXT NOT NULL",
    "options TEXT NOT NULL",
    "checksum INTEGER NOT NULL",
  ],
  sources: [
    "source_no INTEGER PRIMARY KEY",
    "gen_added INTEGER NOT NULL",
    "gen_dropped INTEGER",
    "root_no INTEGER NOT NULL",
    "path TEXT NOT NULL",
    "size INTEGER NOT NULL",
    "modified INTEGER NOT NULL",
    "sha256 TEXT NOT NULL",
    "checksum INTEGER NOT NULL",
  ],
} as const;

/** Keys of more than one column; such a table has no row ids. */
const KEYS: { readonly [table in keyof typeof COLUMNS]?: string } = { documents: "document_no, gen_added" };

export type TableName = keyof typeof COLUMNS;

export const TABLES = Object.keys(COLUMNS) as readonly TableName[];

type Text = string;
type Integer = number;

/** Rows in schema order. */
export interface Rows {
  commits: [
    generation: Integer,
    formatVersion: Integer,
    indexId: Text,
    settings: Text,
    operation: Text,
    added: Integer,
    removed: Integer,
    codecNo: Integer | null,
    segments: Integer,
    documents: Integer,
    passages: Integer,
    tokens: Integer,
    nextDocument: Integer,
    nextPassage: Integer,
    lastDocument: Integer | null,
    lastPassage: Integer | null,
    tombstones: Integer,
    roots: Integer,
    sources: Integer,
    checksum: Integer,
  ];
  codecs: [
    codecNo: Integer,
    genAdded: Integer,
    baseCodecNo: Integer | null,
    name: Text,
    length: Integer,
    crc32: Integer,
    sha256: Text,
    fileId: Text,
    centroids: Integer,
    checksum: Integer,
  ];
  segments: [
    segmentNo: Integer,
    genAdded: Integer,
    genDropped: Integer | null,
    name: Text,
    length: Integer,
    crc32: Integer,
    sha256: Text,
    fileId: Text,
    codecNo: Integer,
    firstPassage: Integer,
    lastPassage: Integer,
    passages: Integer,
    tokens: Integer,
    checksum: Integer,
  ];
  documents: [
    documentNo: Integer,
    genAdded: Integer,
    genReplaced: Integer | null,
    id: Text,
    title: Text | null,
    url: Text | null,
    metadata: Text | null,
    sourcePath: Text | null,
    sourceLine: Integer | null,
    firstPassage: Integer,
    passages: Integer,
    tokens: Integer,
    checksum: Integer,
  ];
  texts: [documentNo: Integer, text: Text, checksum: Integer];
  passages: [
    passageNo: Integer,
    documentNo: Integer,
    start: Integer,
    end: Integer,
    lineStart: Integer,
    lineEnd: Integer,
    tokens: Integer,
    context: Text,
    checksum: Integer,
  ];
  tombstones: [
    documentNo: Integer,
    genDeleted: Integer,
    firstPassage: Integer,
    passages: Integer,
    tokens: Integer,
    checksum: Integer,
  ];
  roots: [
    rootNo: Integer,
    genAdded: Integer,
    genDropped: Integer | null,
    path: Text,
    prefix: Text,
    options: Text,
    checksum: Integer,
  ];
  sources: [
    sourceNo: Integer,
    genAdded: Integer,
    genDropped: Integer | null,
    rootNo: Integer,
    path: Text,
    size: Integer,
    modified: Integer,
    sha256: Text,
    checksum: Integer,
  ];
}

/** `table.a, table.b, ...` in schema order. */
export function columnList(table: TableName): string {
  return COLUMNS[table].map((column) => `${table}.${column.split(" ")[0]}`).join(", ");
}

export function columnCount(table: TableName): number {
  return COLUMNS[table].length;
}

function createTable(table: TableName): [name: string, sql: string] {
  const key = KEYS[table];
  const columns = [...COLUMNS[table], ...(key === undefined ? [] : [`PRIMARY KEY (${key})`])].join(", ");
  return [table, `CREATE TABLE ${table} (${columns}) STRICT${key === undefined ? "" : ", WITHOUT ROWID"}`];
}

/** Statements that make the catalog; sqlite_schema keeps their text, and opening compares it. */
export const SCHEMA: ReadonlyMap<string, string> = new Map<string, string>([
  ...TABLES.map(createTable),
  ["documents_id", "CREATE INDEX documents_id ON documents(id)"],
  [
    "documents_source",
    "CREATE INDEX documents_source ON documents(source_path) WHERE source_path IS NOT NULL",
  ],
]);
