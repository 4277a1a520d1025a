/** Searches by words, by token vectors and by both, of an index that changes. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Index } from "../../src/engine/index.js";
import type { SearchOptions } from "../../src/engine/options.js";
import { tempFolder } from "../support/temp-folder.js";

const DOCUMENTS = [
  {
    id: "cancel",
    title: "Stopping work",
    text: "To cancel a running task, call abort and wait for the promise to settle.",
  },
  {
    id: "read",
    text: "readFileSync reads a whole file. See also parse_json and os.path.join.",
    metadata: { year: 2020 },
  },
  {
    id: "bread",
    text: "A sour dough rests for a day; bread is baked from flour, water and salt.",
    metadata: { year: 2021 },
  },
  { id: "crash", text: "Version 3.14.15 fixed the crash ERR4711 of the parser.", metadata: { year: 2022 } },
  { id: "dough", text: "Dough that turned sour too early gives a flat loaf.", metadata: { year: 2023 } },
];

const folder = tempFolder();
let index: Index;

beforeAll(async () => {
  index = await Index.create(`${folder}/index`);
  await index.add(DOCUMENTS);
});
afterAll(async () => {
  await index.close();
});

const ids = async (query: string, options: SearchOptions = {}): Promise<string[]> =>
  (await index.search(query, options)).hits.map(({ id }) => id);

describe('the mode "lexical"', () => {
  it("returns documents with the words, and no others", async () => {
    expect(await ids("cancelled tasks", { mode: "lexical" })).toEqual(["cancel"]);
    expect(await ids("ERR4711", { mode: "lexical" })).toEqual(["crash"]);
    expect(await ids("nothing like it", { mode: "lexical" })).toEqual([]);
  });

  it("finds identifiers by their parts", async () => {
    for (const query of ["read_file_sync", "sync", "parseJson", "json", "os.path.join", "ospathjoin"]) {
      expect(await ids(query, { mode: "lexical" }), query).toEqual(["read"]);
    }
  });

  it("needs no model", async () => {
    const own = await Index.create(`${folder}/own`, { model: null, dim: 8 });
    try {
      await own.addEmbeddings([{ id: "a", text: "salt and water", vectors: [[1, 0, 0, 0, 0, 0, 0, 0]] }]);
      const { hits, truncated } = await own.search("salt", { mode: "lexical" });
      expect(hits.map(({ id }) => id)).toEqual(["a"]);
      expect(truncated).toBe(false);
    } finally {
      await own.close();
    }
  });

  it("explains itself without token vectors", async () => {
    const { explanation } = await index.search("salt", { mode: "lexical", explain: true });
    expect(explanation).toMatchObject({ plan: "words", queryTokens: [], parameters: { mode: "lexical" } });
    expect(explanation!.stages.map(({ stage }) => stage)).toEqual(["words", "hydrate"]);
  });
});

describe('the mode "hybrid"', () => {
  it("returns as many documents as late interaction, with both scores", async () => {
    const { hits } = await index.search("crash ERR4711", { mode: "hybrid", k: 10 });
    expect(hits).toHaveLength(DOCUMENTS.length);
    expect(hits[0]).toMatchObject({
      id: "crash",
      scores: { late: expect.any(Number), lexical: expect.any(Number) },
    });
    const late = await index.search("crash ERR4711", { k: 10 });
    for (const { id, scores } of hits) {
      expect(scores!.late).toBeCloseTo(late.hits.find((hit) => hit.id === id)!.score, 5);
    }
  });

  it("is the one or the other at the ends of alpha", async () => {
    const query = "sour bread dough";
    const late = await ids(query);
    expect(await ids(query, { mode: "hybrid", fusion: { alpha: 1 } })).toEqual(late);
    const lexical = await ids(query, { mode: "lexical" });
    const hybrid = await ids(query, { mode: "hybrid", fusion: { alpha: 0 } });
    expect(hybrid.slice(0, lexical.length)).toEqual(lexical);
  });

  it("scores what words bring in with token vectors, also where candidate generation is asked for", async () => {
    const tuning = { exhaustiveTokens: 0, nprobe: 1, approximate: 1, refine: 1 };
    const { hits } = await index.search("ERR4711", { mode: "hybrid", ...tuning, k: 5 });
    expect(hits[0]).toMatchObject({ id: "crash", scores: { late: expect.any(Number) } });
    const found = await index.search("ERR4711", { lexicalCandidates: 5, k: 1, ...tuning });
    expect(found.hits.map(({ id }) => id)).toEqual(["crash"]);
  });

  it("answers a batch as it answers one by one", async () => {
    const queries = ["sour dough", '"sour dough"', "bread -salt", "cancel a task"];
    for (const mode of ["late", "lexical", "hybrid"] as const) {
      const batch = await index.searchBatch(queries, { mode, k: 3 });
      for (const [i, query] of queries.entries()) {
        expect(batch[i]).toEqual(await index.search(query, { mode, k: 3 }));
      }
    }
  });
});

describe("operators", () => {
  it.each(["late", "lexical", "hybrid"] as const)("hold in the mode %s", async (mode) => {
    expect((await ids('"sour dough" baking', { mode })).sort()).toEqual(["bread"]);
    expect(await ids("dough -salt", { mode })).not.toContain("bread");
    expect(await ids('dough -"sour dough"', { mode })).not.toContain("bread");
    const nothing = await index.search('"no such phrase" bread', { mode });
    expect(nothing.hits).toEqual([]);
    expect(nothing.notes).toEqual(['no document holds "no such phrase"']);
  });

  it("join with filters", async () => {
    expect(await ids("dough", { filter: "year >= 2021" })).toHaveLength(3);
    expect(await ids("dough -loaf", { filter: "year >= 2021" })).toHaveLength(2);
    expect(await ids("dough", { mode: "lexical", filter: "year >= 2022" })).toEqual(["dough"]);
    expect(await ids("dough", { mode: "hybrid", filter: "year >= 2022" })).toEqual(["dough", "crash"]);
  });

  it("are text with the plain syntax", async () => {
    expect(await ids('"no such phrase" bread', { syntax: "plain", k: 10 })).toHaveLength(DOCUMENTS.length);
  });

  it("leave something to look for", async () => {
    await expect(index.search("-salt")).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(index.search('""', { mode: "lexical" })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("are named where an index was made without words", async () => {
    const without = await Index.create(`${folder}/without`, { lexical: "off" });
    try {
      await without.add(DOCUMENTS);
      const { hits, notes } = await without.search('"sour dough" -salt');
      expect(hits).not.toEqual([]);
      expect(notes).toEqual(['"sour dough", -salt could not be honoured: the index was made without words']);
      for (const mode of ["lexical", "hybrid"] as const) {
        await expect(without.search("dough", { mode })).rejects.toMatchObject({ code: "NO_LEXICAL_INDEX" });
      }
    } finally {
      await without.close();
    }
  });
});

it("words follow adds, replacements, deletions and compaction", async () => {
  const changing = await Index.create(`${folder}/changing`);
  const found = async (query: string): Promise<string[]> =>
    (await changing.search(query, { mode: "lexical" })).hits.map(({ id }) => id).sort();
  try {
    await changing.add(DOCUMENTS);
    const other = await Index.open(`${folder}/changing`);
    await changing.add([
      { id: "bread", text: "Rye bread keeps for a week." },
      { id: "new", text: "Rye and salt." },
    ]);
    expect(await found("rye")).toEqual(["bread", "new"]);
    expect(await found("salt")).toEqual(["new"]);
    // The other object still sees its generation.
    expect((await other.search("salt", { mode: "lexical" })).hits.map(({ id }) => id)).toEqual(["bread"]);
    expect((await other.search("rye", { mode: "lexical" })).hits).toEqual([]);
    await other.close();
    await changing.delete(["new"]);
    expect(await found("rye")).toEqual(["bread"]);
    await changing.compact({ all: true, graceMs: 0 });
    expect(await found("rye")).toEqual(["bread"]);
    expect(await found("salt")).toEqual([]);
    expect((await changing.verify({ deep: true })).problems).toEqual([]);
    await changing.update([{ id: "bread", metadata: { kind: "rye" } }]);
    expect(await found("week")).toEqual(["bread"]);
    await changing.delete((await changing.list()).map(({ id }) => id));
    await changing.compact({ all: true, graceMs: 0 });
    expect((await changing.verify({ deep: true })).problems).toEqual([]);
    await changing.add([{ id: "bread", text: "Rye bread keeps for a week." }]);
    expect(await found("week")).toEqual(["bread"]);
  } finally {
    await changing.close();
  }
});

it.each([
  ["mode", { mode: "fuzzy" as "late" }],
  ["fusion.alpha", { mode: "hybrid", fusion: { alpha: 2 } }],
  ["fusion.depth", { mode: "hybrid", k: 10, fusion: { depth: 5 } }],
  ["fusion.method", { mode: "hybrid", fusion: { method: "sum" as "rrf" } }],
  ["lexicalCandidates", { lexicalCandidates: -1 }],
  ["syntax", { syntax: "sql" as "plain" }],
] as const)("a wrong %s is refused", async (name, options) => {
  await expect(index.search("dough", options as SearchOptions)).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
    message: expect.stringContaining(name),
  });
});

it("token vectors have no words", async () => {
  const row = new Float32Array(index.info().dim).fill(1);
  await expect(index.searchEmbeddings([row], { mode: "hybrid" })).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
  });
});
