/** Random documents and filters from small pools of values, so that many of them meet. */
import Database from "better-sqlite3";
import fc from "fast-check";
import { checkDocument } from "../../../src/documents/check-document.js";
import { checkFilter } from "../../../src/documents/filter/check-filter.js";
import { formatField } from "../../../src/documents/filter/fields.js";
import { registerFilterFunctions } from "../../../src/documents/filter/functions.js";
import type { FilterableDocument } from "../../../src/documents/filter/match-filter.js";
import type { Filter, FilterValue } from "../../../src/documents/filter/types.js";

const NUMBERS = [
  0,
  -0,
  1,
  -1,
  1.5,
  0.1,
  1e308,
  -1e308,
  5e-324,
  2 ** 53 + 2,
  2 ** 63,
  -5848498516639392000,
  1e21,
  20240101,
];

const DATES = [
  "2024-01-01",
  "2024-01-01T00:00:00Z",
  "2023-12-31T23:00:00-01:00",
  "2024-01-01T00:00",
  "2024-02-29T12:30:15.1239Z",
  "2024-02-29T12:30:15.123+00:00",
  "0001-01-01",
  "9999-12-31T23:59:59.999999Z",
];

const STRINGS = [
  "",
  "a",
  "A",
  "ab",
  "abc",
  "1",
  "null",
  "true",
  "or",
  "é",
  "e\u0301",
  "\ud7ff",
  "\ue000",
  "\uffff",
  "\u{10000}",
  "😀",
  "\u{10ffff}",
  "\u{10ffff}a",
  "a\0b",
  "\n\t\u007f\u2028",
  "' OR 1=1 --",
  '"; DROP TABLE documents; --',
  "?1",
  "\\",
  "\\u0061",
  "%_*[",
  "[1]",
  '["a"]',
  "{}",
  "docs/a.md",
  "/home/me/docs/x/b.md",
  "C:\\docs\\a.md",
  "2024-02-30",
  "2024-01-01 00:00",
  ...DATES,
];

const KEYS = [
  "a",
  "b",
  "tags",
  "a.b",
  "",
  "x y",
  "0",
  "é😀",
  '"',
  "'",
  "\\",
  "\\u0061",
  "a\nb",
  "in",
  "NULL",
  "title",
  "metadata",
  "toString",
  "length",
  "$",
  "[0]",
  "#-1",
  "') OR 1=1 --",
];

const GLOBS = [
  "*",
  "**",
  "a*",
  "*.md",
  "docs/*.md",
  "docs/**",
  "/home/**/*.md",
  "?",
  "[a-c]*",
  "[!a]",
  "\\*",
  "C:/*/*",
];

const number = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...NUMBERS) },
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const string = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...STRINGS) },
  fc.string({ unit: "binary", maxLength: 4 }),
);
const scalar = fc.oneof({ weight: 3, arbitrary: string }, number, fc.boolean(), fc.constant(null));
const key = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...KEYS) },
  fc.string({ unit: "binary", maxLength: 3 }).filter((name) => name !== "__proto__"),
);

const { value: metadataValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: "medium" },
    { weight: 5, arbitrary: scalar },
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4 }),
  ),
}));

/** Documents as users hand them over. */
export const documentArbitrary: fc.Arbitrary<FilterableDocument> = fc
  .record(
    {
      id: string.filter((id) => id !== "" && !id.includes("\0")),
      title: string,
      url: string,
      metadata: fc.dictionary(key, metadataValue, { maxKeys: 8 }),
      source: fc.record({ path: string }),
    },
    { requiredKeys: ["id"] },
  )
  .map((document) => document as FilterableDocument);

const field = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom("id", "title", "url", "path") },
  {
    weight: 4,
    arbitrary: fc
      .array(
        key.filter((name) => !name.includes("\0")),
        { minLength: 1, maxLength: 3, size: "-1" },
      )
      .map((keys) => formatField({ kind: "metadata", keys })),
  },
);

const date = fc.constantFrom(...DATES).map((text): FilterValue => ({ date: text }));
const filterValue: fc.Arbitrary<FilterValue> = fc.oneof({ weight: 4, arbitrary: scalar }, date);

/** JSON that is a condition, or would be one for a field of another type. */
const conditionJson = fc.oneof(
  fc.record({ op: fc.constantFrom("=", "!=", "has"), field, value: filterValue }),
  fc.record({ op: fc.constantFrom("<", "<=", ">", ">="), field, value: fc.oneof(string, number, date) }),
  fc.record({ op: fc.constant("in"), field, values: fc.array(filterValue, { minLength: 1, maxLength: 5 }) }),
  fc.record({ op: fc.constant("exists"), field }),
  fc.record({ op: fc.constant("prefix"), field, value: string }),
  fc.record({ op: fc.constant("glob"), field, value: fc.constantFrom(...GLOBS) }),
);

const { filter: filterJson } = fc.letrec((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    { weight: 3, arbitrary: conditionJson },
    fc.record({
      op: fc.constantFrom("and", "or"),
      filters: fc.array(tie("filter"), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ op: fc.constant("not"), filter: tie("filter") }),
  ),
}));

/** Text fields take strings only: other values become strings, `has` becomes `=`. */
function withText(json: unknown): unknown {
  const node = json as Record<string, unknown>;
  if (Array.isArray(node.filters)) return { ...node, filters: node.filters.map(withText) };
  if (node.op === "not") return { ...node, filter: withText(node.filter) };
  if (!["id", "title", "url", "path"].includes(String(node.field))) return node;
  const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
  if (Array.isArray(node.values)) return { ...node, values: node.values.map(text) };
  if (!("value" in node)) return node;
  return { ...node, op: node.op === "has" ? "=" : node.op, value: text(node.value) };
}

export const filterArbitrary: fc.Arbitrary<Filter> = filterJson.map((json) => checkFilter(withText(json)));

/** The rows that filters see, with the columns of the catalog's table. */
export class DocumentTable {
  readonly db: Database.Database = new Database(":memory:");

  constructor() {
    registerFilterFunctions(this.db);
    this.db.exec(
      `CREATE TABLE documents (document_no INTEGER PRIMARY KEY, id TEXT NOT NULL, title TEXT, url TEXT,
       metadata TEXT, source_path TEXT) STRICT`,
    );
  }

  /** Replaces all rows; numbers are the places in `documents`. */
  fill(documents: readonly FilterableDocument[]): void {
    this.db.exec("DELETE FROM documents");
    const insert = this.db.prepare("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?)");
    documents.forEach((document, i) => {
      const { id, title, url, metadata, sourcePath } = checkDocument({ ...document, text: "" });
      insert.run(i, id, title, url, metadata, sourcePath);
    });
  }

  /** Numbers of the rows for which the condition is 1; fails when it is anything but 0 or 1 for one of them. */
  select(condition: { readonly sql: string; readonly parameters: readonly (string | number)[] }): number[] {
    const rows = this.db
      .prepare<unknown[], [number, unknown]>(`SELECT document_no, ${condition.sql} FROM documents ORDER BY 1`)
      .raw()
      .all(...condition.parameters);
    const odd = rows.find(([, holds]) => holds !== 0 && holds !== 1);
    if (odd !== undefined) throw new Error(`the condition is ${String(odd[1])}: ${condition.sql}`);
    return rows.filter(([, holds]) => holds === 1).map(([no]) => no);
  }
}
