import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { verifyCatalog } from "../../../src/workers/verify-catalog.js";
import { inFolder, smallCatalog } from "../documents/support.js";

const what = "the check";

describe("a catalog is verified", () => {
  it.each([
    ["here", Number.POSITIVE_INFINITY],
    ["on a thread", 0],
  ])("%s, with the same result", async (_, threadFrom) => {
    await inFolder(async (folder) => {
      smallCatalog(folder).close();
      expect(await verifyCatalog(folder, { what, threadFrom })).toEqual([]);
      const db = new Database(join(folder, "catalog.sqlite"));
      db.exec("UPDATE texts SET text = 'another' WHERE document_no = 5");
      db.close();
      const problems = await verifyCatalog(folder, { what, threadFrom });
      expect(problems).toEqual(
        expect.arrayContaining([expect.stringContaining("texts does not match its checksum")]),
      );
    });
  });

  it("with the errors of opening it, and not after an abort", async () => {
    await inFolder(async (folder) => {
      const failed = verifyCatalog(join(folder, "none"), { what, threadFrom: -1 });
      await expect(failed).rejects.toMatchObject({ code: "INDEX_NOT_FOUND" });
      const aborted = verifyCatalog(folder, { what, signal: AbortSignal.abort() });
      await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
      smallCatalog(folder).close();
      const controller = new AbortController();
      const stopped = verifyCatalog(folder, { what, threadFrom: 0, signal: controller.signal });
      controller.abort();
      await expect(stopped).rejects.toMatchObject({ code: "ABORTED" });
    });
  });
});
