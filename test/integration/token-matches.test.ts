import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Index } from "../../src/engine/index.js";
import type { Hit } from "../../src/engine/options.js";
import { NOTES, QUESTIONS } from "../support/notes.js";
import { tempFolder } from "../support/temp-folder.js";

const root = tempFolder();
let index: Index;

beforeAll(async () => {
  index = await Index.create(join(root, "notes"));
  await index.add([
    ...NOTES,
    {
      id: "guide",
      title: "Crêpes",
      text: "# Crêpes\n\n## The batter\n\nWhisk flour, eggs and milk — no lumps!\n\n## The pan\n\nHeat butter until it foams 🧈, then pour.",
    },
  ]);
});
afterAll(() => index.close());

const plain = (text: string): string => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

const marked = ({ snippet }: Hit): string[] =>
  snippet.highlights.map(([start, end]) => snippet.text.slice(start, end));

describe("token matches", () => {
  it.each(QUESTIONS)("of %j add up to the score", async (question, id) => {
    const { hits, notes } = await index.search(question, { k: 9, explain: true });
    expect(notes).toBeUndefined();
    expect(hits[0]!.id).toBe(id);
    for (const { matches, score, text } of hits) {
      const { query, passage, choices, similarities } = matches!;
      expect(choices).toHaveLength(query.length);
      expect(Math.fround(choices.reduce((sum, { similarity }) => sum + similarity, 0))).toBe(score);
      choices.forEach(({ passage: chosen, similarity }, q) => {
        expect(similarities[q]).toHaveLength(passage.length);
        expect(chosen).toBe(similarities[q]!.indexOf(Math.max(...similarities[q]!)));
        expect(similarity).toBe(similarities[q]![chosen]);
      });
      for (const { token, part, span } of passage) {
        if (part !== "text") expect(span).toBeNull();
        else if (token !== "[UNK]") expect(plain(text.slice(...span!))).toBe(token.replace("##", ""));
      }
    }
  });

  it("tell the query's words from its markers", async () => {
    const question = "  Flour &  EGGS?";
    const { hits } = await index.search(question, { k: 1, explain: true });
    expect(
      hits[0]!.matches!.query.map(({ token, part, span }) => [token, part, span && question.slice(...span)]),
    ).toEqual([
      ["[CLS]", "special", null],
      ["[unused0]", "special", null],
      ["flour", "text", "Flour"],
      ["&", "text", "&"],
      ["eggs", "text", "EGGS"],
      ["?", "text", "?"],
      ["[SEP]", "special", null],
    ]);
  });

  it("have places in the query as it was written, operators and all", async () => {
    const question = 'batter -zebra "flour, eggs"';
    const { hits } = await index.search(question, { k: 1, explain: true });
    const words = hits[0]!.matches!.query.flatMap(({ span }) =>
      span === null ? [] : [question.slice(...span)],
    );
    expect(words).toEqual(["batter", "flour", ",", "eggs"]);
  });

  it("tell the passage's own text from title and headings", async () => {
    const { hits } = await index.search("how hot must the pan be for pancakes", { k: 9, explain: true });
    for (const { title, matches } of hits) {
      const { context, passage } = matches!;
      expect(context).toBe(title);
      for (const { part, token, span, contextSpan } of passage) {
        expect(contextSpan === undefined).toBe(part !== "context");
        if (contextSpan === undefined) continue;
        expect(plain(context.slice(...contextSpan))).toBe(token.replace("##", ""));
        expect(span).toBeNull();
      }
      const found = passage.flatMap(({ contextSpan }) => contextSpan ?? []);
      expect([found[0], found.at(-1)]).toEqual([0, context.length]);
    }
    const { text, matches } = hits.find(({ id }) => id === "guide")!;
    const { passage } = matches!;
    const own = passage.flatMap(({ span }) => (span === null ? [] : [text.slice(...span)]));
    expect(own).toContain("foam");
    expect(own).toContain("🧈");
    expect(passage.filter(({ part }) => part === "special").map(({ token }) => token)).toEqual([
      "[CLS]",
      "[unused1]",
      "[SEP]",
    ]);
  });

  it("are left out when only stages are asked for, and without explain", async () => {
    for (const explain of ["stages", false] as const) {
      const { hits } = await index.search("eggs", { k: 1, explain });
      expect(hits[0]).not.toHaveProperty("matches");
    }
  });

  it("are the same whatever way the passage was found", async () => {
    const options = { k: 9, explain: true } as const;
    const question = "how does the database journal work";
    const { hits } = await index.search(question, { ...options, effort: "exact" });
    const pruned = await index.search(question, { ...options, exhaustiveTokens: 0, nprobe: 64 });
    expect(pruned.hits).toEqual(hits);
    const precise = await index.search(question, { ...options, rescore: 9 });
    for (const { matches, score } of precise.hits) {
      const sum = matches!.choices.reduce((total, { similarity }) => total + similarity, 0);
      expect(Math.abs(sum - score)).toBeLessThan(1e-4);
    }
  });
});

describe("snippets from matches", () => {
  it("mark words of the same meaning that the query does not have", async () => {
    const { hits } = await index.search("why do mountains explode", { k: 1 });
    expect(hits[0]!.id).toBe("volcano");
    expect(marked(hits[0]!)).toContain("mountain");
    const words = await index.search("why do mountains explode", { k: 1, snippets: "words" });
    expect(marked(hits[0]!).length).toBeGreaterThanOrEqual(marked(words.hits[0]!).length);
  });

  it("do not mark words such as 'the'", async () => {
    for (const [question] of QUESTIONS) {
      const { hits } = await index.search(`what is the ${question}`, { k: 9 });
      for (const hit of hits) {
        for (const words of marked(hit))
          expect(words.toLowerCase()).not.toMatch(/^(?:the|a|of|in|and|what|is)$/);
      }
    }
  });

  it("can be left out, and be made from words", async () => {
    const none = await index.search("eggs and flour", { k: 1, snippets: "none" });
    expect(none.hits[0]!.snippet).toEqual({
      text: "",
      start: 0,
      highlights: [],
      cutBefore: false,
      cutAfter: true,
    });
    const words = await index.search("eggs and flour", { k: 1, snippets: "words" });
    expect(marked(words.hits[0]!)).toEqual(["flour", "eggs"]);
    await expect(index.search("eggs", { snippets: "some" as never })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("snippets"),
    });
  });

  it("lie in the passage", async () => {
    for (const [question] of QUESTIONS) {
      const { hits } = await index.search(question, { k: 9 });
      for (const { snippet, text } of hits) {
        expect(text.replace(/\s+/gu, " ")).toContain(snippet.text);
        let last = 0;
        for (const [start, end] of snippet.highlights) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          last = end;
        }
        expect(last).toBeLessThanOrEqual(snippet.text.length);
      }
    }
  });
});

describe("vectors that the model did not make from the text", () => {
  it("are not explained, and the result says so; their snippets are made from words", async () => {
    const other = await Index.create(join(root, "mixed"));
    try {
      await other.add(NOTES.slice(0, 3));
      const dim = other.info().dim;
      await other.addEmbeddings([
        { id: "own", text: "A text about tea.", vectors: [new Float32Array(dim).fill(0.1)] },
      ]);
      const { hits, notes } = await other.search("tea", { k: 4, explain: true });
      const own = hits.find(({ id }) => id === "own")!;
      expect(own).not.toHaveProperty("matches");
      expect(marked(own)).toEqual(["tea"]);
      expect(notes).toEqual([expect.stringContaining("1 of 4 hits")]);
      expect(hits.filter(({ matches }) => matches !== undefined)).toHaveLength(3);
    } finally {
      await other.close();
    }
  });

  it("a search by vectors has no words to explain", async () => {
    const { hits, notes, explanation } = await index.searchEmbeddings([new Float32Array(128).fill(0.1)], {
      k: 2,
      explain: true,
    });
    expect(explanation).toBeDefined();
    expect(notes).toBeUndefined();
    for (const hit of hits) expect(hit).not.toHaveProperty("matches");
  });
});
