/** The SQL of a filter against the same filter in JavaScript. */
import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkFilter } from "../../../src/documents/filter/check-filter.js";
import { compileFilter } from "../../../src/documents/filter/compile-filter.js";
import { registerFilterFunctions } from "../../../src/documents/filter/functions.js";
import { type FilterableDocument, matchesFilter } from "../../../src/documents/filter/match-filter.js";
import { parseFilter } from "../../../src/documents/filter/parse-filter.js";
import type { Filter } from "../../../src/documents/filter/types.js";
import { SCHEMA } from "../../../src/documents/schema.js";
import { DocumentTable, documentArbitrary, filterArbitrary } from "./filter-support.js";

const table = new DocumentTable();

/** Places of the documents that the filter means, from SQL; JavaScript must say the same. */
function select(filter: Filter, documents: readonly FilterableDocument[]): number[] {
  table.fill(documents);
  const bySql = table.select(compileFilter(filter));
  const byScript = [...documents.keys()].filter((i) => matchesFilter(filter, documents[i]!));
  expect(bySql).toEqual(byScript);
  return bySql;
}

function selectText(text: string, ...metadata: Record<string, unknown>[]): number[] {
  const documents = metadata.map((value, i) => ({ id: `d${i}`, metadata: value }) as FilterableDocument);
  return select(parseFilter(text), documents);
}

describe("a filter in SQL and in JavaScript", () => {
  it("finds the same documents: 12,000 random filters and documents", () => {
    let found = 0;
    fc.assert(
      fc.property(
        fc.array(documentArbitrary, { minLength: 10, maxLength: 10 }),
        fc.array(filterArbitrary, { minLength: 4, maxLength: 4 }),
        (documents, filters) => {
          for (const filter of filters) found += select(filter, documents).length;
        },
      ),
      { numRuns: 300 },
    );
    // Neither side may get away with saying no to everything.
    expect(found).toBeGreaterThan(1000);
  });

  it("finds a document by every value that it holds", () => {
    const isScalar = (value: unknown): boolean => typeof value !== "object" || value === null;
    fc.assert(
      fc.property(documentArbitrary, (document) => {
        for (const [key, value] of Object.entries(document.metadata ?? {})) {
          const field = `metadata.${JSON.stringify(key)}`;
          const elements: readonly unknown[] = Array.isArray(value) ? value.filter(isScalar) : [];
          for (const element of elements) {
            expect(select(checkFilter({ op: "has", field, value: element }), [document])).toEqual([0]);
          }
          expect(select(checkFilter({ op: "exists", field }), [document])).toEqual([0]);
          if (!isScalar(value)) continue;
          expect(select(checkFilter({ op: "=", field, value }), [document])).toEqual([0]);
          expect(select(checkFilter({ op: "!=", field, value }), [document])).toEqual([]);
          expect(select(checkFilter({ [field]: [value] }), [document])).toEqual([0]);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("compares any two doubles as numbers", () => {
    const double = fc.double({ noNaN: true, noDefaultInfinity: true });
    const whole = fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(Number);
    fc.assert(
      fc.property(
        fc.oneof(double, whole),
        fc.array(fc.oneof(double, whole), { maxLength: 20 }),
        (value, others) => {
          const documents = [value, ...others].map((x, i) => ({ id: `d${i}`, metadata: { x } }));
          for (const op of ["=", "<", ">="]) select(checkFilter({ op, field: "x", value }), documents);
          select(checkFilter({ x: [value, ...others] }), documents);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("says false for a comparison with a missing or differently typed value", () => {
    const rows = [{}, { x: null }, { x: 5 }, { x: "5" }, { x: true }, { x: [5] }, { x: { y: 5 } }];
    expect(selectText("x = 5", ...rows)).toEqual([2]);
    expect(selectText("x != 4", ...rows)).toEqual([2]);
    expect(selectText("x != '4'", ...rows)).toEqual([3]);
    expect(selectText("x < 9", ...rows)).toEqual([2]);
    expect(selectText("x >= ''", ...rows)).toEqual([3]);
    expect(selectText("x = true", ...rows)).toEqual([4]);
    expect(selectText("x != false", ...rows)).toEqual([4]);
    expect(selectText("x = 1", { x: true })).toEqual([]);
    expect(selectText("x in (5, '5', true)", ...rows)).toEqual([2, 3, 4]);
    expect(selectText("x has 5", ...rows)).toEqual([5]);
    expect(selectText("x prefix ''", ...rows)).toEqual([3]);
    expect(selectText("x.y = 5", ...rows)).toEqual([6]);
  });

  it("treats null as a value that only = and != know", () => {
    const rows = [{}, { x: null }, { x: 5 }, { x: [null] }];
    expect(selectText("exists x", ...rows)).toEqual([1, 2, 3]);
    expect(selectText("x = null", ...rows)).toEqual([1]);
    expect(selectText("x != null", ...rows)).toEqual([2, 3]);
    expect(selectText("x in (null, 5)", ...rows)).toEqual([1, 2]);
    expect(selectText("x has null", ...rows)).toEqual([3]);
  });

  it("negates plainly", () => {
    const rows = [{}, { x: null }, { x: 5 }, { x: 6 }];
    expect(selectText("not x = 5", ...rows)).toEqual([0, 1, 3]);
    expect(selectText("not x > 5", ...rows)).toEqual([0, 1, 2]);
    expect(selectText("not not x = 5", ...rows)).toEqual([2]);
    expect(selectText("not (x = 5 or x = 6)", ...rows)).toEqual([0, 1]);
  });

  it("compares dates by time with ISO dates and with nothing else", () => {
    const rows = [
      "2024-01-01",
      "2023-12-31T23:30:00-01:00",
      "2024-01-01 00:00:00.000",
      "2024-02-30",
      "x",
      20240101,
    ];
    const metadata = rows.map((x) => ({ x }));
    expect(selectText("x = 2024-01-01", ...metadata)).toEqual([0, 2]);
    expect(selectText("x > 2024-01-01", ...metadata)).toEqual([1]);
    expect(selectText("x <= 2024-01-01T00:30", ...metadata)).toEqual([0, 1, 2]);
    expect(selectText("x in (2024-01-01T00:30:00Z, x)", ...metadata)).toEqual([1, 4]);
    expect(selectText("x != 2024-01-01", ...metadata)).toEqual([1]);
    expect(selectText("x has 2024-01-01", { x: ["2023-12-31T23:00-01:00"] })).toEqual([0]);
  });

  it("looks at the fields of the document, and behind metadata. at those of its metadata", () => {
    const documents: FilterableDocument[] = [
      { id: "1", title: "One", url: "https://a.example/1", source: { path: "/home/me/docs/x/one.md" } },
      { id: "2", metadata: { id: "1", title: "One", path: "docs/two.md" } },
    ];
    const find = (text: string): number[] => select(parseFilter(text), documents);
    expect(find("id = 1")).toEqual([0]);
    expect(find("id in (2, 3)")).toEqual([1]);
    expect(find("metadata.id = '1'")).toEqual([1]);
    expect(find("title = One")).toEqual([0]);
    expect(find("not exists title")).toEqual([1]);
    expect(find("title != Two")).toEqual([0]);
    expect(find("url prefix https:")).toEqual([0]);
    expect(find("path glob docs/**/*.md")).toEqual([0]);
    expect(find("metadata.path glob docs/**/*.md")).toEqual([1]);
  });

  it("orders strings by code points", () => {
    const rows = [{ x: "\uffff" }, { x: "\u{10000}" }, { x: "\ud7ff" }, { x: "\ue000" }];
    expect(selectText('x > "\uffff"', ...rows)).toEqual([1]);
    expect(selectText('x prefix "\ud7ff"', ...rows)).toEqual([2]);
    expect(selectText('x prefix "\u{10ffff}"', { x: "\u{10ffff}a" }, { x: "\u{10fffe}" })).toEqual([0]);
    expect(selectText('x prefix "a\u{10ffff}"', { x: "a\u{10ffff}a" }, { x: "a" }, { x: "b" })).toEqual([0]);
  });

  it("finds no fields in arrays and strings", () => {
    const rows = [{ x: [5, [5]] }, { x: { "0": 5, length: 5 } }, { x: "5" }];
    expect(selectText("x.0 = 5", ...rows)).toEqual([1]);
    expect(selectText("exists x.length", ...rows)).toEqual([1]);
    expect(selectText("exists x.toString", ...rows)).toEqual([]);
    expect(selectText('exists x."[0]" or exists "x[0]"', ...rows)).toEqual([]);
  });

  it("never puts text of the filter into SQL", () => {
    fc.assert(
      fc.property(filterArbitrary, (filter) => {
        const { sql } = compileFilter(filter);
        const words = sql.match(/[A-Za-z_.]+|'[^']*'/g) ?? [];
        for (const word of words) expect(OWN_WORDS.has(word), word).toBe(true);
        expect(sql).toMatch(/^[\w\s.()=<>,?'!+]*$/);
      }),
      { numRuns: 300 },
    );
  });

  it("runs the largest filters that are allowed", () => {
    const many = Array.from({ length: 255 }, (_, i) => ({ op: "=", field: `k${i}`, value: i }));
    expect(select(checkFilter({ op: "or", filters: many }), [{ id: "a", metadata: { k254: 254 } }])).toEqual([
      0,
    ]);
    let deep: unknown = { op: "=", field: "x", value: 1 };
    for (let level = 1; level < 16; level++) deep = { op: "not", filter: deep };
    expect(select(checkFilter(deep), [{ id: "a", metadata: { x: 1 } }, { id: "b" }])).toEqual([1]);
    const ids = Array.from({ length: 10_000 }, (_, i) => `d${i}`);
    expect(select(checkFilter({ id: ids }), [{ id: "d9999" }, { id: "d10000" }])).toEqual([0]);
    const numbers = Array.from({ length: 8000 }, (_, i) => i);
    expect(select(checkFilter({ x: numbers }), [{ id: "a", metadata: { x: 7999 } }])).toEqual([0]);
  });

  it("refuses to compile what checkFilter refuses", () => {
    const forged = { op: "=", field: "__proto__.x", value: 1 } as Filter;
    expect(() => compileFilter(forged)).toThrow(expect.objectContaining({ code: "INVALID_FILTER" }));
  });

  it("fits the table of the catalog, and uses none of its indexes", () => {
    const db = new Database(":memory:");
    registerFilterFunctions(db);
    for (const name of ["documents", "documents_id"]) db.exec(SCHEMA.get(name)!);
    const explain = (text: string): unknown => {
      const { sql, parameters } = compileFilter(parseFilter(text));
      const steps = db
        .prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN SELECT * FROM documents WHERE ${sql}`)
        .all(...parameters);
      return steps[0]?.detail;
    };
    expect(explain("title = a and url = b and path glob c and exists d")).toMatch(/^SCAN documents/);
    // An index has no checksum: damage to it would hide documents.
    for (const text of ["id = a and lang = en", "id in (a, b)", "path = a", "id prefix a"]) {
      expect(explain(text)).toMatch(/^SCAN documents$/);
    }
  });
});

const OWN_WORDS: ReadonlySet<string> = new Set([
  ..."AND OR NOT IS NULL TRUE CASE WHEN THEN ELSE END IN SELECT FROM WHERE EXISTS AS CAST REAL value".split(
    " ",
  ),
  ..."json_type json_extract json_each maxsim_glob maxsim_time element element.type element.value".split(" "),
  ..."documents.id documents.title documents.url documents.source_path documents.metadata".split(" "),
  ..."'text' 'array' 'integer' 'real' 'null' 'true' 'false'".split(" "),
]);
