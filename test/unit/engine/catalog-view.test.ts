import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseFilter } from "../../../src/documents/filter/parse-filter.js";
import { CatalogView, type ViewOptions } from "../../../src/engine/catalog-view.js";
import { Index } from "../../../src/engine/index.js";
import { heldGenerations } from "../../../src/storage/snapshot-lock.js";
import { tempFolder } from "../../support/temp-folder.js";

const DIM = 8;
/** More than two pages. */
const COUNT = 1203;
const folder = join(tempFolder(), "index");
const vectors = new Float32Array(DIM).fill(1);
let view: CatalogView;

function idsOf(options?: ViewOptions): string[] {
  return [...view.pages(options)].flat().map(({ id }) => id);
}

const all = Array.from({ length: COUNT }, (_, i) => `d${i}`);

beforeAll(async () => {
  await using index = await Index.create(folder, { model: null, dim: DIM, compaction: "off" });
  await index.addEmbeddings(
    [...all, "gone"].map((id, i) => ({ id, vectors, metadata: { n: i, odd: i % 2 === 1 } })),
  );
  await index.addEmbeddings([
    {
      id: "long",
      vectors,
      text: "first line\nsecond line",
      title: "Long",
      metadata: { deep: { key: null } },
    },
  ]);
  await index.delete(["gone"]);
  view = CatalogView.open(folder);
});
afterAll(() => view.close());

describe("the documents of a catalog", () => {
  it("come page by page, in the order in which they were added", () => {
    expect(view).toMatchObject({ folder, generation: 3, documents: COUNT + 1 });
    expect(idsOf()).toEqual([...all, "long"]);
    const pages = [...view.pages()].map((page) => page.length);
    expect(pages.length).toBeGreaterThan(2);
  });

  it.each([
    [0, 1],
    [0, 500],
    [499, 2],
    [500, 501],
    [1000, 500],
    [COUNT, 5],
    [COUNT + 1, 5],
    [99_999, 5],
  ])("from %i on, %i at most", (offset, limit) => {
    expect(idsOf({ offset, limit })).toEqual([...all, "long"].slice(offset, offset + limit));
  });

  it("come without texts", () => {
    const [page] = [...view.pages({ filter: parseFilter("id = long") })];
    expect(page).toEqual([
      {
        documentNo: expect.any(Number),
        id: "long",
        title: "Long",
        metadata: { deep: { key: null } },
        firstPassage: expect.any(Number),
        passages: 1,
        tokens: 1,
      },
    ]);
  });

  it("are those that match a filter", () => {
    const filter = parseFilter("odd = true and n < 1100");
    const odd = all.slice(0, 1100).filter((_, i) => i % 2 === 1);
    expect(view.count(filter)).toBe(odd.length);
    expect(idsOf({ filter })).toEqual(odd);
    expect(idsOf({ filter, offset: 510, limit: 7 })).toEqual(odd.slice(510, 517));
    expect(view.count()).toBe(COUNT + 1);
  });

  it("are found by id, with their passages", () => {
    expect(view.get("gone")).toBeUndefined();
    const document = view.get("long");
    expect(document).toMatchObject({ text: "first line\nsecond line" });
    expect(view.passagesOf(document!)).toMatchObject([
      { start: 0, end: 22, lineStart: 1, lineEnd: 2, tokens: 1 },
    ]);
    expect(view.present(["d1", "gone", "d7"])).toEqual(new Set(["d1", "d7"]));
    expect(view.nearestIds("Long.")).toContain("long");
  });
});

describe("fields of a filter", () => {
  it("are unknown when no document has them, with what resembles them", () => {
    expect(view.unknownFields(parseFilter("n > 3 and title = x and path = y"))).toEqual([]);
    expect(view.unknownFields(parseFilter("oddd = true or zzzzzz = 1"))).toEqual([
      { field: "oddd", nearest: ["odd"] },
      { field: "zzzzzz", nearest: [] },
    ]);
  });

  it("are known when a single document has them, however late it was added", () => {
    expect(view.unknownFields(parseFilter("deep.key = null"))).toEqual([]);
  });
});

it("the history is that of the generation, newest first", () => {
  const history = view.history(10);
  expect(history.map(({ generation, operation }) => [generation, operation])).toEqual([
    [3, "delete"],
    [2, "add"],
    [1, "add"],
    [0, "create"],
  ]);
  expect(history[0]).toMatchObject({ added: 0, removed: 1, documents: COUNT + 1, time: expect.any(Date) });
  expect(view.history(1)).toEqual(history.slice(0, 1));
});

it("holds its generation until it is closed, and needs no file of vectors", async () => {
  const held = CatalogView.open(folder);
  await using index = await Index.open(folder, { compaction: "off" });
  await index.delete(["d0"]);
  const [segment] = index.segments();
  expect(held.get("d0")).toMatchObject({ id: "d0" });
  expect(heldGenerations(folder, 4)).toContain(3);
  held.close();
  view.close();
  writeFileSync(join(folder, segment!.file), "");
  view = CatalogView.open(folder);
  expect(view).toMatchObject({ generation: 4, documents: COUNT });
  expect(view.get("d1")).toMatchObject({ id: "d1" });
});

it("says so when there is no index", () => {
  expect(() => CatalogView.open(join(folder, "nowhere"))).toThrow(
    expect.objectContaining({ code: "INDEX_NOT_FOUND" }),
  );
});
