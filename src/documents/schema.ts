/**
 * Tables of catalog.sqlite. Every row ends with its checksum (row-checksum.ts). Rows are added and never changed,
 * but for `segments.gen_dropped`; a deletion adds a row to `tombstones`. What a generation G sees are the rows with
 * gen_added <= G that no tombstone with gen_deleted <= G names; passages belong to their document.
 *
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
    "codec_no INTEGER",
    "segments INTEGER NOT NULL",
    "documents INTEGER NOT NULL",
    "passages INTEGER NOT NULL",
    "tokens INTEGER NOT NULL",
    "next_document INTEGER NOT NULL",
    "next_passage INTEGER NOT NULL",
    "tombstones INTEGER NOT NULL",
    "checksum INTEGER NOT NULL",
  ],
  codecs: [
    "codec_no INTEGER PRIMARY KEY",
    "gen_added INTEGER NOT NULL",
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
    "first_passage INTEGER NOT NULL",
    "passages INTEGER NOT NULL",
    "tokens INTEGER NOT NULL",
    "checksum INTEGER NOT NULL",
  ],
  documents: [
    "document_no INTEGER PRIMARY KEY",
    "gen_added INTEGER NOT NULL",
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
} as const;

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
    codecNo: Integer | null,
    segments: Integer,
    documents: Integer,
    passages: Integer,
    tokens: Integer,
    nextDocument: Integer,
    nextPassage: Integer,
    tombstones: Integer,
    checksum: Integer,
  ];
  codecs: [
    codecNo: Integer,
    genAdded: Integer,
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
    firstPassage: Integer,
    passages: Integer,
    tokens: Integer,
    checksum: Integer,
  ];
  documents: [
    documentNo: Integer,
    genAdded: Integer,
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
}

/** `table.a, table.b, ...` in schema order. */
export function columnList(table: TableName): string {
  return COLUMNS[table].map((column) => `${table}.${column.split(" ")[0]}`).join(", ");
}

export function columnCount(table: TableName): number {
  return COLUMNS[table].length;
}

/** Statements that make the catalog; sqlite_schema keeps their text, and opening compares it. */
export const SCHEMA: ReadonlyMap<string, string> = new Map<string, string>([
  ...TABLES.map((table): [string, string] => [
    table,
    `CREATE TABLE ${table} (${COLUMNS[table].join(", ")}) STRICT`,
  ]),
  ["documents_id", "CREATE INDEX documents_id ON documents(id)"],
]);
