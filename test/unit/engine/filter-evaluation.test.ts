/** Filters by columns against the same filters in JavaScript, over the documents of a catalog. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Catalog } from "../../../src/documents/catalog.js";
import { type FilterableDocument, matchesFilter } from "../../../src/documents/filter/match-filter.js";
import { parseFilter } from "../../../src/documents/filter/parse-filter.js";
import type { Filter } from "../../../src/documents/filter/types.js";
import type { StoredDocument } from "../../../src/documents/records.js";
import type { DocumentInput } from "../../../src/documents/types.js";
import { FilterEvaluation } from "../../../src/engine/filter-evaluation.js";
import { tempFolder } from "../../support/temp-folder.js";
import { documentArbitrary, filterArbitrary } from "../documents/filter-support.js";
import { addDocuments, INDEX_ID, SETTINGS } from "../documents/support.js";

const folder = tempFolder();
let catalog: Catalog;
let live: StoredDocument[];

/** Documents of any metadata; some replaced, some deleted, some with new metadata, so that rows of the past are there. */
beforeAll(() => {
  catalog = Catalog.create(folder, { indexId: INDEX_ID, settings: SETTINGS });
  const random = fc.sample(documentArbitrary, { numRuns: 150, seed: 7 });
  const inputs = [...new Map(random.map((document) => [document.id, document])).values()].map(
    (document): DocumentInput => ({ ...document, text: "words" }) as DocumentInput,
  );
  addDocuments(folder, catalog, inputs.slice(0, 60));
  addDocuments(folder, catalog, inputs.slice(60), [3, 4, 20]);
  const longValue: DocumentInput = {
    id: "with a long value",
    text: "w",
    metadata: { long: "x".repeat(600) },
  };
  addDocuments(folder, catalog, [
    longValue,
    ...Array.from({ length: 8 }, (_, i) => ({ id: `l${i}`, text: "w", metadata: { long: i, n: i } })),
  ]);
  catalog.commit({
    operation: "update",
    updateDocuments: [5, 6, 7].map((documentNo) => ({ documentNo, metadata: { a: documentNo, new: true } })),
  });
  catalog.commit({ operation: "delete", deleteDocuments: [8, 30] });
  live = catalog.listDocuments(catalog.snapshot(), { offset: 0, limit: 1000 });
});
afterAll(() => catalog.close());

function evaluation(atOnce = 17): FilterEvaluation {
  const numbers = Uint32Array.from(live, ({ documentNo }) => documentNo);
  return new FilterEvaluation({ catalog, snapshot: catalog.snapshot(), numbers, atOnce });
}

const expected = (filter: Filter): number[] =>
  live.filter((document) => matchesFilter(filter, document as FilterableDocument)).map((d) => d.documentNo);

describe("filters by columns", () => {
  it("mean the documents that they mean in JavaScript and in SQL", async () => {
    let found = 0;
    const kept = evaluation();
    await fc.assert(
      fc.asyncProperty(filterArbitrary, fc.constantFrom(1, 17, 8192), async (filter, atOnce) => {
        const meant = expected(filter);
        expect([...(await kept.evaluate(filter, undefined)).documents]).toEqual(meant);
        expect([...(await evaluation(atOnce).evaluate(filter, undefined)).documents]).toEqual(meant);
        found += meant.length;
      }),
      { numRuns: 300 },
    );
    expect(found).toBeGreaterThan(1000);
  });

  it("find every document by what it holds", async () => {
    const kept = evaluation();
    for (const { documentNo, id, title, url, source } of live) {
      for (const [field, value] of Object.entries({ id, title, url, path: source?.path })) {
        if (value === undefined) continue;
        const { documents } = await kept.evaluate({ op: "=", field, value }, undefined);
        expect(documents.has(documentNo), `${field} ${JSON.stringify(value)}`).toBe(true);
      }
    }
  });

  it("are done in SQL where a value is too long for a column", async () => {
    for (const text of ["long > 3", "long prefix xx", "not exists long and n > 1", "long > 3 or n = 1"]) {
      const filter = parseFilter(text);
      expect([...(await evaluation().evaluate(filter, undefined)).documents]).toEqual(expected(filter));
    }
    expect(expected(parseFilter("long prefix xx"))).toHaveLength(1);
  });

  it("say which fields no document has", async () => {
    const { missing } = await evaluation().evaluate(parseFilter("zz = 1 or n = 1 or exists yy.x"), undefined);
    expect(missing).toEqual(["zz", "yy.x"]);
  });

  it("see a document that was updated as it is now, and none that is deleted", async () => {
    const { documents } = await evaluation().evaluate(parseFilter("new = true"), undefined);
    expect([...documents]).toEqual([5, 6, 7]);
    const all = await evaluation().evaluate(parseFilter("not n = 1000"), undefined);
    expect(all.documents.size).toBe(live.length);
    for (const gone of [3, 4, 20, 8, 30]) expect(all.documents.has(gone)).toBe(false);
  });

  it("stop when they are aborted, and refuse a catalog that lacks a document", async () => {
    const controller = new AbortController();
    const running = evaluation(1).evaluate(parseFilter("n = 1"), controller.signal);
    controller.abort(new Error("enough"));
    await expect(running).rejects.toMatchObject({ code: "ABORTED" });
    const numbers = Uint32Array.of(0, 1, 100_000);
    const over = { catalog, snapshot: catalog.snapshot(), numbers, atOnce: 10 };
    await expect(new FilterEvaluation(over).evaluate(parseFilter("n = 1"), undefined)).rejects.toMatchObject({
      code: "CORRUPT",
      message: expect.stringContaining("document 100000"),
    });
  });
});

describe("notes", () => {
  const notes = async (text: string, ...metadata: Record<string, unknown>[]): Promise<readonly string[]> => {
    const own = tempFolder();
    const small = Catalog.create(own, { indexId: INDEX_ID, settings: SETTINGS });
    addDocuments(
      own,
      small,
      metadata.map((value, i) => ({ id: `d${i}`, text: "w", metadata: value }) as DocumentInput),
    );
    const numbers = Uint32Array.from(metadata, (_, i) => i);
    const over = { catalog: small, snapshot: small.snapshot(), numbers, atOnce: 100 };
    const found = await new FilterEvaluation(over).evaluate(parseFilter(text), undefined);
    small.close();
    return found.notes;
  };

  it.each([
    [
      'year >= "2020"',
      { year: 2020 },
      'year holds only numbers, so year >= "2020" is false for every document; write the number without quotes',
    ],
    [
      "zip = 10115",
      { zip: "10115" },
      "zip holds only text, so zip = 10115 is false for every document; write the value in quotes",
    ],
    [
      "tags = a",
      { tags: ["a"] },
      'tags holds only lists, so tags = "a" is false for every document; has looks into lists',
    ],
    [
      "tag has a",
      { tag: "a" },
      'tag holds only text, so tag has "a" is false for every document; compare with = where there is no list',
    ],
    ["n prefix a", { n: 1 }, 'n holds only numbers, so n prefix "a" is false for every document'],
    [
      "day > 2024-01-01",
      { day: "May 2024" },
      'day holds no ISO date, so day > 2024-01-01 is false for every document; it holds text such as "May 2024"',
    ],
    ["day in (1, 2)", { day: "1" }, "day holds only text, so day in (1, 2) is false for every document"],
    [
      "open = yes",
      { open: true },
      'open holds only true or false, so open = "yes" is false for every document',
    ],
  ])("%s over %j", async (text, metadata, note) => {
    expect(await notes(text, metadata, {})).toEqual([expect.stringContaining(note)]);
  });

  it.each([
    ['year >= "2020"', [{ year: 2020 }, { year: "2020" }]],
    ["year = null", [{ year: 2020 }]],
    ["year != null", [{ year: 2020 }]],
    ["exists year", [{ year: 2020 }]],
    ["year = 1", [{ year: null }]],
    ["year in (1, null)", [{ year: 2 }]],
    ["day > 2024-01-01", [{ day: "May" }, { day: "2023-01-01" }]],
    ["title = x", [{}]],
  ])("are none for %s over %j", async (text, metadata) => {
    expect(await notes(text, ...metadata)).toEqual([]);
  });
});
