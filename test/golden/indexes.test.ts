/** Indexes of every released format version still open and give the answers that they gave when they were made. */
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Index } from "../../src/engine/index.js";
import type { SearchOptions } from "../../src/engine/options.js";
import { temporaryFolders } from "../support/temp-folder.js";

const GOLDEN = fileURLToPath(new URL("../../index-data/golden/", import.meta.url));
const newFolder = temporaryFolders();

interface Expected {
  readonly info: Readonly<Record<string, number>>;
  readonly documents: readonly { readonly id: string }[];
  readonly answers: ReadonlyArray<{
    readonly query?: string;
    readonly vectors?: number[][];
    readonly tuning?: SearchOptions;
    readonly hits: ReadonlyArray<{ readonly id: string; readonly score: number }>;
  }>;
}

const names = readdirSync(GOLDEN, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

describe("golden indexes", () => {
  it("are there for the current format", () => {
    expect(names).toEqual(
      expect.arrayContaining(["v1-texts", "v1-vectors-1bit", "v1-vectors-2bit", "v1-vectors-4bit"]),
    );
  });

  it.each(names)("%s opens, answers as it did, and can be written to", async (name) => {
    const folder = join(await newFolder(), name);
    cpSync(join(GOLDEN, name), folder, { recursive: true });
    const { info, documents, answers } = JSON.parse(
      readFileSync(join(folder, "expected.json"), "utf8"),
    ) as Expected;
    const index = await Index.open(folder, { threads: 1 });
    try {
      expect(index.info()).toMatchObject(info);
      const listed = await index.list();
      expect(
        listed.map(({ id, text, title, url, metadata }) =>
          JSON.parse(JSON.stringify({ id, text, title, url, metadata })),
        ),
      ).toEqual(documents);
      for (const { query, vectors, tuning, hits } of answers) {
        const options = { k: hits.length, ...tuning };
        const found =
          query === undefined
            ? await index.searchEmbeddings(vectors!, options)
            : await index.search(query, options);
        expect(found.hits.map(({ id }) => id)).toEqual(hits.map(({ id }) => id));
        // Vectors of the caller give the same scores everywhere; an encoder rounds as its processor does.
        found.hits.forEach(({ score }, i) => {
          if (query === undefined) expect(score).toBe(hits[i]!.score);
          else expect(score).toBeCloseTo(hits[i]!.score, 1);
        });
      }
      const { generation } = await index.delete([documents[0]!.id]);
      expect(generation).toBe(info.generation! + 1);
      const compacted = await index.compact({ all: true, graceMs: 0 });
      expect(compacted.segments.after).toBe(1);
      expect(index.info().documents).toBe(info.documents! - 1);
    } finally {
      await index.close();
    }
  });
});
