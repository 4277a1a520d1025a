/** Queries from files, and made from titles and headings; texts without them. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  distinctQueries,
  makeQueries,
  readQueryFile,
  sampleQueries,
} from "../../../src/distillation/queries.js";
import {
  headingOf,
  lineKey,
  openingHeading,
  passageId,
  TrainingTexts,
} from "../../../src/distillation/training-texts.js";
import { CatalogView } from "../../../src/engine/catalog-view.js";
import { Index } from "../../../src/engine/index.js";
import { extractText } from "../../../src/text/extract/index.js";
import { tempFolder } from "../../support/temp-folder.js";
import { writeTinyModel } from "../../support/tiny-model.js";

const folder = tempFolder();
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const filler = (word: string): string => `${`${word} sat on the mat. `.repeat(12)}\n\n`;
const MARKDOWN: Readonly<Record<string, string>> = {
  "guide.md": `# The running guide\n\n${filler("cat")}## The dog on a mat\n\n${filler("dog")}${filler("index")}## Setup\n\n${filler("search")}${filler("token")}`,
  "other.md": `# Another long guide\n\n${filler("cat")}## Setup\n\n${filler("mat")}${filler("fast")}`,
  "one.md": "# Word\n\nNothing of interest.\n",
};

let index: Index;
let view: CatalogView;
const model = tempFolder();
beforeAll(async () => {
  await writeTinyModel(model, {
    "onnx_config.json": {
      query_length: 16,
      document_length: 64,
      do_query_expansion: false,
      embedding_dim: 16,
    },
  });
  index = await Index.create(join(folder, "index"), { model, threads: 1 });
  const documents = Object.entries(MARKDOWN).map(([id, source]) => ({
    id,
    ...extractText(source, "markdown", id),
  }));
  const code = { id: "router.ts", title: "router.ts", text: "export function handle(): void {}\n" };
  const records = [
    { id: "r1", title: "The running guide", text: "The same title, another text." },
    { id: "r2", text: "No title at all." },
    { id: "r3", title: "检索系统的设计", text: "晚期交互。" },
    { id: "r4", title: `A title that goes on ${"and on ".repeat(40)}`, text: "x" },
  ];
  await index.add([...documents, code, ...records]);
  view = CatalogView.open(index.folder);
});
afterAll(async () => {
  view?.close();
  await index?.close();
});

describe("readQueryFile", () => {
  it("reads plain lines, tabs and JSON", async () => {
    expect(await readQueryFile(file("a.txt", "why is the sky blue?\n\n  a\tb  \n"))).toEqual([
      { id: "1", text: "why is the sky blue?" },
      { id: "3", text: "a\tb" },
    ]);
    expect(await readQueryFile(file("a.tsv", "x\tone\ny\ttwo\n"))).toEqual([
      { id: "x", text: "one" },
      { id: "y", text: "two" },
    ]);
    expect(await readQueryFile(file("a.jsonl", '{"_id": "x", "text": "one"}\n'))).toEqual([
      { id: "x", text: "one" },
    ]);
  });

  it("refuses none, and empty ones", async () => {
    await expect(readQueryFile(file("b.txt", " \n"))).rejects.toMatchObject({ code: "INVALID_INPUT" });
    await expect(readQueryFile(file("b.tsv", "x\tone\ny\t\n"))).rejects.toMatchObject({
      message: expect.stringMatching(/b\.tsv: query "y" is empty/),
    });
    await expect(readQueryFile(join(folder, "none.txt"))).rejects.toMatchObject({ code: "PATH_NOT_FOUND" });
  });
});

describe("makeQueries", () => {
  it("takes titles and headings that say something, each once, with its documents", () => {
    const made = makeQueries(view).map(({ text, sources }) => [text, sources]);
    expect(made).toEqual([
      ["The running guide", ["guide.md", "r1"]],
      ["The dog on a mat", ["guide.md"]],
      ["The running guide: Setup", ["guide.md"]],
      ["Another long guide", ["other.md"]],
      ["Another long guide: Setup", ["other.md"]],
      ["检索系统的设计", ["r3"]],
    ]);
    expect(makeQueries(view).map(({ id }) => id)).toEqual(["m1", "m2", "m3", "m4", "m5", "m6"]);
  });

  it("stops when it is told to", () => {
    expect(() => makeQueries(view, AbortSignal.abort())).toThrow(
      expect.objectContaining({ code: "ABORTED" }),
    );
  });
});

describe("TrainingTexts", () => {
  it("leave out lines that are title or heading, and only where they are asked to", () => {
    const count = view.get("guide.md")!.passages;
    expect(count).toBeGreaterThan(2);
    const all = (withoutHeadings: boolean): string => {
      const texts = new TrainingTexts(view, { withoutHeadings });
      return Array.from({ length: count }, (_, passage) =>
        texts.text({ documentId: "guide.md", passage }),
      ).join("\n");
    };
    for (const line of ["The running guide", "The dog on a mat", "Setup"]) {
      expect(all(false)).toContain(line);
      expect(all(true)).not.toContain(line);
    }
    expect(all(true)).toContain("dog sat on the mat.");
  });

  it("of queries of people have before them what was encoded", () => {
    const place = { documentId: "r1", passage: 0 };
    const own = new TrainingTexts(view, { withoutHeadings: true });
    const whole = new TrainingTexts(view, { withoutHeadings: false });
    expect(own.text(place)).toBe("The same title, another text.");
    expect(whole.text(place)).toBe("The running guide The same title, another text.");
    expect(whole.sameness(place)).toBe(own.sameness(place));
  });

  it("know no passage that is not there", () => {
    const texts = new TrainingTexts(view, { withoutHeadings: true });
    for (const place of [
      { documentId: "nobody", passage: 0 },
      { documentId: "r1", passage: 9 },
    ]) {
      expect(() => texts.text(place)).toThrow(expect.objectContaining({ code: "CORRUPT" }));
    }
    expect(passageId({ documentId: "a#1", passage: 0 })).toBe("a#1#0");
  });
});

describe("headings and lines", () => {
  it.each([
    ["Guide > Install", "Guide", "Install"],
    ["Guide > Install > On Linux", "Guide", "On Linux"],
    ["Guide", "Guide", undefined],
    ["", "Guide", undefined],
    // A title that did not fit is cut.
    ["A very long", "A very long title", undefined],
    ["Install", "", "Install"],
  ])("of the context %j under %j is %j", (context, title, heading) => {
    expect(headingOf(context, title)).toBe(heading);
  });

  it.each([
    ["Where to begin\n\nHere.", "Where to begin"],
    ["\n 2. Install it \n \n  Text", "2. Install it"],
    ["What is it?\n\nThis.", "What is it?"],
    ["A sentence.\n\nAnother one.", undefined],
    ["A line\nof a paragraph\n\nText", undefined],
    ["- an item\n\nText", undefined],
    ["a row | of a table\n\nText", undefined],
    ["Alone\n\n", undefined],
    [`${"long ".repeat(30)}\n\nText`, undefined],
  ])("at the beginning of %j: %j", (text, heading) => {
    expect(openingHeading(text)).toBe(heading);
  });

  it("are the same whatever their spaces, case and marks", () => {
    expect(lineKey("##  How to\tRun ")).toBe("how to run");
    expect(lineKey("#hash")).toBe("#hash");
  });
});

describe("distinct and sampled queries", () => {
  const queries = Array.from({ length: 20 }, (_, i) => ({ id: `${i}`, text: `query ${i % 15}` }));

  it("have each text once", () => {
    expect(distinctQueries(queries).map(({ id }) => id)).toEqual(queries.slice(0, 15).map(({ id }) => id));
    expect(
      distinctQueries([
        { id: "a", text: "Same", sources: ["x"] },
        { id: "b", text: "same ", sources: ["y"] },
      ]),
    ).toEqual([{ id: "a", text: "Same", sources: ["x", "y"] }]);
  });

  it("keep their order, and a larger sample holds a smaller one", () => {
    for (let limit = 1; limit < 20; limit++) {
      const ids = sampleQueries(queries, limit, 7).map(({ id }) => Number(id));
      expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
      expect(ids).toHaveLength(limit);
      const more = sampleQueries(queries, limit + 1, 7).map(({ id }) => Number(id));
      expect(more).toEqual(expect.arrayContaining(ids));
    }
    expect(sampleQueries(queries, 99, 7)).toBe(queries);
  });
});
