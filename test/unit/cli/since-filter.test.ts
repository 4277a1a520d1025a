/** Which documents `--since` means. */
import { describe, expect, it } from "vitest";
import { sinceFilter } from "../../../src/cli/since-filter.js";
import { matchesFilter } from "../../../src/documents/filter/match-filter.js";
import type { Filter } from "../../../src/documents/filter/types.js";
import type { DocumentInput } from "../../../src/documents/types.js";
import type { CatalogView } from "../../../src/engine/catalog-view.js";

const SINCE = "2024-01-01T00:00:00.000Z";

/** As much of a view as the filter is made from. */
function viewOf(documents: readonly DocumentInput[], files: Readonly<Record<string, string>>): CatalogView {
  const view = {
    folder: "/index",
    documents: documents.length,
    count: (filter: Filter) => documents.filter((document) => matchesFilter(filter, document)).length,
    sources: () => Object.entries(files).map(([path, changed]) => ({ path, modified: Date.parse(changed) })),
  };
  return view as unknown as CatalogView;
}

const dated = (id: string, date: string, path?: string): DocumentInput => ({
  id,
  text: id,
  metadata: { date },
  ...(path === undefined ? {} : { source: { path } }),
});
const undated = (id: string, path: string): DocumentInput => ({ id, text: id, source: { path } });

function found(documents: readonly DocumentInput[], files: Readonly<Record<string, string>>): string[] {
  const filter = sinceFilter(viewOf(documents, files), SINCE);
  return documents.filter((document) => matchesFilter(filter, document)).map(({ id }) => id);
}

describe("sinceFilter", () => {
  const files = { "/new.md": "2024-06-01", "/old.md": "2023-06-01" };

  it("goes by the date of a document, whatever became of its file", () => {
    const documents = [
      dated("a", "2024-01-01", "/old.md"),
      dated("b", "2023-12-31", "/new.md"),
      dated("c", "2024-05"),
    ];
    expect(found(documents, files)).toEqual(["a"]);
  });

  it("goes by the file where there is no date", () => {
    expect(found([undated("a", "/new.md"), undated("b", "/old.md")], files)).toEqual(["a"]);
    const mixed = [
      undated("a", "/new.md"),
      dated("b", "2024-02-01"),
      dated("c", "2023-02-01"),
      undated("d", "/old.md"),
      { id: "e", text: "e" },
    ];
    expect(found(mixed, files)).toEqual(["a", "b"]);
  });

  it("finds nothing where nothing is so new", () => {
    expect(found([undated("b", "/old.md")], { "/old.md": "2023-06-01" })).toEqual([]);
    expect(found([undated("b", "/old.md"), dated("c", "2023-02-01")], { "/old.md": "2023-06-01" })).toEqual(
      [],
    );
  });

  it("refuses an index without dates and files", () => {
    expect(() => found([{ id: "e", text: "e" }], {})).toThrow(
      expect.objectContaining({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining("no document of /index has the metadata field date"),
      }),
    );
    expect(sinceFilter(viewOf([], {}), SINCE)).toBeDefined();
  });

  it("refuses more files than a filter can name", () => {
    const many = Object.fromEntries(
      Array.from({ length: 4000 }, (_, i) => [`/a-folder/${i}/file.md`, "2024-06-01"]),
    );
    expect(() => found([undated("a", "/new.md")], many)).toThrow(
      expect.objectContaining({
        code: "INVALID_ARGUMENT",
        message: "--since: 4,000 files were changed since then, more than one filter can name",
        hint: expect.stringContaining("later date"),
      }),
    );
  });
});
