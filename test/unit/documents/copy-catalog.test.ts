import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Catalog } from "../../../src/documents/catalog.js";
import { copyCatalog } from "../../../src/documents/copy-catalog.js";
import { addDocuments, INDEX_ID, inFolder, SETTINGS } from "./support.js";

const what = "the copy";

/** A catalog of some 20 MB: the copy takes several steps. */
function largeCatalog(folder: string): Catalog {
  const catalog = Catalog.create(folder, { indexId: INDEX_ID, settings: SETTINGS });
  const text = "a word of many ".repeat(20_000);
  const documents = Array.from({ length: 64 }, (_, i) => ({ id: `d${i}`, text: `${text}${i}` }));
  addDocuments(folder, catalog, documents);
  return catalog;
}

describe("the copy of a catalog", () => {
  it("is one whole generation although somebody commits at every step", async () => {
    await inFolder(async (folder) => {
      const catalog = largeCatalog(folder);
      const target = join(folder, "copy");
      mkdirSync(target);
      const seen: number[] = [];
      let commits = 0;
      await copyCatalog(folder, target, {
        what,
        onBytes(done) {
          seen.push(done);
          if (commits < 30) {
            catalog.commit({ operation: "delete", segments: [], deleteDocuments: [commits++] });
          }
        },
      });
      // SQLite began again, but not for ever.
      expect(seen.some((done, i) => i > 0 && done <= seen[i - 1]!)).toBe(true);
      expect(commits).toBeGreaterThan(2);
      expect(commits).toBeLessThan(30);
      const copy = Catalog.open(target, { readOnly: false });
      expect(copy.verify()).toEqual([]);
      // The last report comes behind the copy.
      const { generation, documents } = copy.snapshot();
      expect({ generation, documents }).toEqual({ generation: commits, documents: 64 - (commits - 1) });
      expect(catalog.snapshot().generation).toBe(generation + 1);
      copy.close();
      catalog.close();
      expect(readdirSync(target)).toEqual(["catalog.sqlite"]);
    });
  });

  it("stops when it is aborted, or when the listener throws, and takes its file away", async () => {
    await inFolder(async (folder) => {
      largeCatalog(folder).close();
      const target = join(folder, "copy");
      mkdirSync(target);
      const controller = new AbortController();
      const aborted = copyCatalog(folder, target, {
        what,
        signal: controller.signal,
        onBytes: () => controller.abort(),
      });
      await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
      const failed = copyCatalog(folder, target, {
        what,
        onBytes() {
          throw new RangeError("mine");
        },
      });
      await expect(failed).rejects.toThrow("mine");
      expect(readdirSync(target)).toEqual([]);
      await expect(copyCatalog(join(folder, "none"), target, { what })).rejects.toMatchObject({
        code: "INDEX_NOT_FOUND",
      });
    });
  });
});
