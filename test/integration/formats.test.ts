/** A folder of every kind of file, with the bundled model: each is found, and at its place. */
import { copyFileSync, renameSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Index } from "../../src/engine/index.js";
import type { SyncReport } from "../../src/engine/sync-report.js";
import { placeOfPassage } from "../../src/text/positions.js";
import { writeFiles } from "../support/cli.js";
import { docxFile, epubFile, notebookFile } from "../support/office-files.js";
import { pdfFile } from "../support/pdf-file.js";
import { tempFolder } from "../support/temp-folder.js";

const root = tempFolder();
const files = join(root, "files");

/** Long enough that one page does not share a passage with the next. */
const filler = (what: string): string[] =>
  Array.from({ length: 24 }, (_, i) => `Line ${i + 1} of ${what} says nothing that anybody would ask for.`);

const BROKEN = Buffer.from("%PDF-1.7 broken");

beforeAll(() => {
  writeFiles(files, {
    "tea.md": "# Tea\n\nGreen leaves turn bitter in boiling water. Let the kettle cool before you pour.\n",
    "tyres.html":
      "<title>Tyres</title>\n<p>Take the wheel out and glue a patch on the hole of the rubber tube.</p>",
    "volcano.pdf": pdfFile([
      filler("the first page"),
      [
        "Gas that is dissolved in molten rock expands as it rises,",
        "and the pressure breaks through the crust.",
      ],
      filler("the last page"),
    ]),
    "broken.pdf": BROKEN,
    "secret.pdf": pdfFile([["Nobody reads this."]], { password: "secret" }),
    "money.docx": docxFile([
      { text: "Household", style: "Heading1" },
      ...filler("the letter"),
      "Put a tenth of your income aside each month before you spend the rest.",
    ]),
    "garden.ipynb": notebookFile([
      ["markdown", filler("the notebook").join(" ")],
      ["code", "def water(plant):\n    return plant.litres * 2"],
      ["markdown", "Tomato seedlings want warmth; put them outdoors after the last frost."],
    ]),
    "sleep.epub": epubFile({
      title: "Nights",
      chapters: [
        `<p>${filler("the book").join(" ")}</p>`,
        "<p>Bright screens late in the evening keep the brain awake in bed.</p>",
      ],
    }),
    "tasks.ts":
      "// Tasks.\n\n/** Stops a task that is running. */\nexport function cancelTask(id: string): void {\n  queue.remove(id);\n}\n",
    "matrix.py": "import numpy\n\n\ndef transpose(matrix):\n    return [list(row) for row in zip(*matrix)]\n",
    "stars.csv":
      "id,text\nmoon,The moon circles the earth once a month.\nsirius,Sirius is the brightest star of the night sky.\n",
    "birds.jsonl.gz": gzipSync(
      '{"text": "A wren nests in the hedge."}\n{"text": "A heron waits for fish in the reeds."}\n',
    ),
  });
  const parquet = fileURLToPath(new URL("../fixtures/parquet/zstd.parquet", import.meta.url));
  copyFileSync(parquet, join(files, "rows.parquet"));
});

describe("a folder of every kind of file", () => {
  let index: Index;
  let report: SyncReport;

  beforeAll(async () => {
    index = await Index.create(join(root, "index"), {});
    report = await index.sync([files]);
  });
  afterAll(() => index.close());

  it.each([
    ["why is my drink bitter", "tea.md:3"],
    ["repair a puncture of a bicycle", "tyres.html:2"],
    ["why do mountains erupt", "volcano.pdf#page=2"],
    ["save some of my salary", "money.docx#paragraph=26"],
    ["when do I plant vegetables outside", "garden.ipynb#cell=3"],
    ["I cannot fall asleep because of my phone", "sleep.epub#chapter=2"],
    ["cancel a running task", "tasks.ts:3"],
    ["swap rows and columns of a matrix", "matrix.py:4"],
    ["which star is the brightest", "stars.csv:3"],
    ["a bird that stands in water", "birds.jsonl.gz:2"],
    ["naïve café row 5", "rows.parquet#row=5"],
  ])("answers %j at %s", async (question, place) => {
    const { hits } = await index.search(question, { k: 1 });
    const { source, passage } = hits[0]!;
    const [name, rest] = [place.split(/[:#]/)[0]!, place.slice(place.split(/[:#]/)[0]!.length)];
    const found = placeOfPassage(source!, passage.lineStart);
    expect(source!.path).toBe(join(files, name));
    // A passage may begin a little before what was asked for.
    if (/^#(?:paragraph|cell)|^:/.test(rest) && found !== join(files, place)) {
      expect([passage.lineStart, passage.lineEnd]).toSatisfy(([from, to]: [number, number]) => {
        const wanted = Number(/\d+$/.exec(rest)![0]);
        return from <= wanted && wanted <= to;
      });
    } else {
      expect(found).toBe(join(files, place));
    }
  });

  it("says what positions count", async () => {
    const [hit] = (await index.search("why do mountains erupt", { k: 1, mode: "late" })).hits;
    expect(hit!.passage).toMatchObject({ lineStart: 2, lineEnd: 2, positionUnit: "page" });
  });

  it("names what could not be read, and indexes the rest", () => {
    expect(report.skipped.files).toEqual([
      { path: join(files, "broken.pdf"), reason: "the PDF is damaged: Invalid PDF structure", failed: true },
      { path: join(files, "secret.pdf"), reason: "the PDF is encrypted: it needs a password", failed: true },
    ]);
    expect(report.added).toHaveLength(11);
  });

  it("tries what could not be read again, and changes nothing else", async () => {
    const again = await index.sync();
    expect(again).toMatchObject({
      generation: report.generation,
      added: [],
      changed: [],
      kept: [],
      unchanged: 11,
    });
    expect(again.skipped.files.map(({ path }) => path)).toEqual([
      join(files, "broken.pdf"),
      join(files, "secret.pdf"),
    ]);
    writeFiles(files, { "broken.pdf": pdfFile([["A lighthouse warns the ships of rocks."]]) });
    expect((await index.sync()).added).toEqual([join(files, "broken.pdf")]);
    expect((await index.search("how do sailors know where the coast is", { k: 1 })).hits[0]!.id).toBe(
      "broken.pdf",
    );
  });

  it("keeps the documents of a file that is damaged by now, until it can be read", async () => {
    const path = join(files, "broken.pdf");
    writeFiles(files, { "broken.pdf": BROKEN });
    const report = await index.sync();
    expect(report).toMatchObject({ kept: [path], changed: [], removed: [], documents: { removed: 0 } });
    expect(report.skipped.files).toContainEqual({
      path,
      reason: expect.stringContaining("damaged"),
      failed: true,
    });
    expect((await index.get("broken.pdf"))!.text).toContain("lighthouse");
    writeFiles(files, { "broken.pdf": pdfFile([["A lighthouse stands on the cape."]]) });
    expect(await index.sync()).toMatchObject({ kept: [], changed: [path] });
    expect((await index.get("broken.pdf"))!.text).toBe("A lighthouse stands on the cape.");
  });

  it("knows a file that was renamed, and a changed page", async () => {
    renameSync(join(files, "volcano.pdf"), join(files, "mountains.pdf"));
    writeFiles(files, {
      "sleep.epub": epubFile({ title: "Nights", chapters: ["<p>A cool bedroom helps.</p>"] }),
    });
    utimesSync(join(files, "sleep.epub"), 1, 1);
    expect(await index.sync()).toMatchObject({
      renamed: [{ from: join(files, "volcano.pdf"), to: join(files, "mountains.pdf") }],
      changed: [join(files, "sleep.epub")],
      documents: { changed: 1, updated: 1 },
    });
  });

  it("remembers which files were chosen", async () => {
    const chosen = await index.sync([files], { include: ["*.pdf", "*.md"], exclude: ["secret.pdf"] });
    expect(chosen.removed).toHaveLength(9);
    expect(chosen.skipped.files).toEqual([]);
    expect(await index.sync()).toMatchObject({ removed: [], unchanged: 3 });
    expect((await index.sync([files], { include: [] })).added).toHaveLength(9);
  });
});
