/** `filter` of searches: the hits are those of a filter afterwards over everything, whatever the index looks like. */
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkFilter } from "../../src/documents/filter/check-filter.js";
import { type FilterableDocument, matchesFilter } from "../../src/documents/filter/match-filter.js";
import { parseFilter } from "../../src/documents/filter/parse-filter.js";
import type { Metadata } from "../../src/documents/types.js";
import { Index } from "../../src/engine/index.js";
import type { SearchOptions } from "../../src/engine/options.js";
import { SyntheticCorpus } from "../support/synthetic.js";
import { tempFolder } from "../support/temp-folder.js";

const DIM = 32;
const COUNT = 240;
const root = tempFolder();
const corpus = new SyntheticCorpus({ passages: COUNT, tokens: 12, dim: DIM });
const LANGUAGES = ["en", "de", "pl"];
let index: Index;
let live: FilterableDocument[];

function documentOf(i: number): FilterableDocument & { vectors: Float32Array } {
  const metadata: Metadata = {
    year: 2000 + (i % 25),
    lang: LANGUAGES[i % 3]!,
    ...(i % 4 === 0 ? { tags: ["draft", `t${i % 5}`] } : {}),
    ...(i % 5 === 0 ? { author: { name: `name ${i % 7}` } } : {}),
    day: new Date(Date.UTC(2020, 0, i)).toISOString(),
  };
  const title = i % 2 === 0 ? { title: `Title ${i}` } : {};
  return { id: `d${i}`, vectors: corpus.passages[i]!.vectors, metadata, ...title };
}

/** Three segments, replaced and deleted documents, and new metadata. */
beforeAll(async () => {
  index = await Index.create(join(root, "index"), { model: null, dim: DIM, compaction: "off" });
  const all = Array.from({ length: COUNT }, (_, i) => documentOf(i));
  await index.addEmbeddings(all.slice(0, 100));
  await index.addEmbeddings(all.slice(100, 180));
  const replaced = all.slice(0, 10).map((d) => ({ ...d, metadata: { year: 1999, lang: "en" } }));
  await index.addEmbeddings([...all.slice(180), ...replaced]);
  await index.update([20, 21, 150].map((i) => ({ id: `d${i}`, metadata: { year: 3000, changed: true } })));
  await index.delete(["d30", "d31", "d110", "d200", "d5"]);
  live = (await index.list({ limit: 1000 })) as FilterableDocument[];
  expect(live).toHaveLength(COUNT - 5);
});
afterAll(() => index.close());

const condition = fc.oneof(
  fc.constantFrom(
    "lang = en",
    "lang in (de, pl)",
    "year >= 2020",
    "year < 2003",
    "year = 1999",
    "tags has draft",
    "tags has t3",
    "exists author",
    "author.name = 'name 3'",
    "not exists title",
    "title glob '*7*'",
    "changed = true",
    "day >= 2020-06-01",
    "id in (d1, d30, d40, d41)",
    "id prefix d1",
    "year = 3000 and lang = en",
  ),
  fc.integer({ min: 1998, max: 2026 }).map((year) => `year > ${year}`),
);
const filterText = fc
  .array(condition, { minLength: 1, maxLength: 3 })
  .chain((parts) => fc.constantFrom(parts.join(" and "), parts.join(" or "), `not (${parts.join(" or ")})`));

async function hitsOf(query: Float32Array, options: SearchOptions): Promise<Array<[string, number]>> {
  const { hits } = await index.searchEmbeddings(query, options);
  return hits.map(({ id, score }) => [id, score]);
}

describe("a filtered search", () => {
  it("finds what is left of all hits afterwards, and always min(k, matching documents)", async () => {
    await fc.assert(
      fc.asyncProperty(
        filterText,
        fc.integer({ min: 1, max: 300 }),
        fc.nat(COUNT - 1),
        async (text, k, p) => {
          const query = corpus.query(p, 6);
          const filter = parseFilter(text);
          const meant = new Set(live.filter((d) => matchesFilter(filter, d)).map(({ id }) => id));
          const all = await hitsOf(query, { k: COUNT, effort: "exact" });
          const expected = all.filter(([id]) => meant.has(id)).slice(0, k);
          expect(expected).toHaveLength(Math.min(k, meant.size));
          expect(await hitsOf(query, { k, effort: "exact", filter: text })).toEqual(expected);
          // Whatever is pruned: as many hits, all of them meant.
          const pruned = await hitsOf(query, { k, filter, exhaustiveTokens: 0, nprobe: 2, approximate: 20 });
          expect(pruned).toHaveLength(expected.length);
          expect(pruned.every(([id]) => meant.has(id))).toBe(true);
          expect(await index.count(filter)).toBe(meant.size);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("takes JSON, the short form, and one filter for a batch", async () => {
    const queries = [3, 100, 201].map((p) => corpus.query(p, 6));
    const text = "lang = de and year in (2001, 2004)";
    for (const filter of [text, parseFilter(text), { lang: "de", year: [2001, 2004] }] as const) {
      const batch = await index.searchEmbeddingsBatch(queries, { filter, k: 50 });
      expect(batch.map(({ hits }) => hits.map(({ id, score }) => [id, score]))).toEqual(
        await Promise.all(queries.map((query) => hitsOf(query, { filter: text, k: 50 }))),
      );
      const full = typeof filter === "string" ? parseFilter(filter) : checkFilter(filter);
      expect(batch[0]!.hits).toHaveLength(live.filter((d) => matchesFilter(full, d)).length);
    }
  });

  it("answers the same side by side, also where threads take it over", async () => {
    await using threaded = await Index.open(join(root, "index"), { threads: 2, compaction: "off" });
    const query = corpus.query(50, 6);
    const texts = ["year > 2010", "lang = en", "tags has draft or exists author", "year > 2010"];
    const expected = await Promise.all(
      texts.map((filter) => hitsOf(query, { filter, effort: "exact", k: 20 })),
    );
    for (let round = 0; round < 20; round++) {
      const found = await Promise.all(
        texts.map((filter) => threaded.searchEmbeddings(query, { filter, effort: "exact", k: 20 })),
      );
      expect(found.map(({ hits }) => hits.map(({ id, score }) => [id, score]))).toEqual(expected);
    }
  });

  it("sees what a change of the index changed", async () => {
    const folder = join(root, "changing");
    await using own = await Index.create(folder, { model: null, dim: DIM });
    await own.addEmbeddings(Array.from({ length: 20 }, (_, i) => documentOf(i)));
    const found = async (): Promise<number> =>
      (await own.searchEmbeddings(corpus.query(1, 4), { filter: "lang = en", k: 100 })).hits.length;
    expect(await found()).toBe(7);
    await own.update([{ id: "d1", metadata: { lang: "en" } }]);
    expect(await found()).toBe(8);
    await own.delete({ filter: "lang = en and year > 2005" });
    expect(await found()).toBe(await own.count("lang = en"));
    await own.addEmbeddings(Array.from({ length: 30 }, (_, i) => documentOf(i + 20)));
    expect(await found()).toBe(await own.count("lang = en"));
    await own.compact({ all: true });
    expect(await found()).toBe(await own.count("lang = en"));
  });

  it("says in `explain` what the filter left, and why the plan was taken", async () => {
    const { explanation } = await index.searchEmbeddings(corpus.query(5, 4), {
      filter: "lang = en",
      explain: true,
    });
    const stage = explanation?.stages.find((one) => one.stage === "filter");
    const matching = await index.count("lang = en");
    expect(stage).toMatchObject({ what: "documents", seen: COUNT - 5, kept: matching });
    expect(explanation?.reason).toBe(`${matching * 12} token vectors are at most 100000`);
  });
});

describe("a filter that cannot be meant", () => {
  const query = (): Float32Array => corpus.query(1, 4);

  it("over a field that no document has is refused with the names that resemble it", async () => {
    await expect(index.searchEmbeddings(query(), { filter: "yeer > 2000" })).rejects.toMatchObject({
      code: "INVALID_FILTER",
      message: "filter: no document has the field yeer",
      hint: "Did you mean year?",
    });
    const strange = index.searchEmbeddings(query(), { filter: "not (lang = en or zzzzzz = 1)" });
    await expect(strange).rejects.toMatchObject({
      message: expect.stringContaining("zzzzzz"),
      hint: expect.stringMatching(/^Besides id, title, url and path, fields are .*lang/),
    });
  });

  it("may ask whether a field exists, and gets a note when none has it", async () => {
    const { hits, notes } = await index.searchEmbeddings(query(), { filter: "not exists yeer" });
    expect(hits).toHaveLength(10);
    expect(notes).toEqual(["no document has the field yeer; did you mean year?"]);
  });

  it("is no error where one document has the field, or where there are no documents", async () => {
    expect((await index.searchEmbeddings(query(), { filter: "changed = false" })).hits).toEqual([]);
    await using empty = await Index.create(join(root, "empty"), { model: null, dim: DIM });
    expect((await empty.searchEmbeddings(query(), { filter: "yeer = 1" })).hits).toEqual([]);
    await expect(empty.searchEmbeddings(query(), { filter: "yeer =" })).rejects.toMatchObject({
      code: "INVALID_FILTER",
    });
    await empty.addEmbeddings([documentOf(1)]);
    await empty.delete(["d1"]);
    expect((await empty.searchEmbeddings(query(), { filter: "yeer = 1" })).hits).toEqual([]);
  });

  it("compares with values of another type: a note", async () => {
    const results = await index.searchEmbeddingsBatch([query(), query()], { filter: 'year >= "2020"' });
    for (const { hits, notes } of results) {
      expect(hits).toEqual([]);
      expect(notes).toEqual([
        'year holds only numbers, so year >= "2020" is false for every document; write the number without quotes',
      ]);
    }
    expect((await index.searchEmbeddings(query(), { filter: "year >= 2020" })).notes).toBeUndefined();
  });

  it("is refused before anything is searched", async () => {
    for (const filter of [
      "year >",
      "year ~ 3",
      { year: { a: 1 } } as never,
      { op: "and", filters: [] },
    ] as const) {
      await expect(index.searchEmbeddings(query(), { filter })).rejects.toMatchObject({
        code: "INVALID_FILTER",
      });
    }
  });

  it("can be aborted, and the next search is not affected", async () => {
    const filter = `day > 2020-02-01 and year != ${Date.now()}`;
    const aborted = AbortSignal.abort(new Error("enough"));
    await expect(index.searchEmbeddings(query(), { filter, signal: aborted })).rejects.toMatchObject({
      code: "ABORTED",
    });
    const controller = new AbortController();
    const first = index.searchEmbeddings(query(), { filter, signal: controller.signal });
    const second = index.searchEmbeddings(query(), { filter });
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: "ABORTED" });
    expect((await second).hits).toHaveLength(10);
  });
});
