import { describe, expect, test } from "vitest";
import { extractPdf } from "../../../src/text/extract/pdf.js";
import { layoutPdf, linesOfRuns } from "../../../src/text/extract/pdf-layout.js";
import { pdfFile } from "../../support/pdf-file.js";

const read = (...args: Parameters<typeof pdfFile>) => extractPdf(Buffer.from(pdfFile(...args)));
const LONG = "A paragraph of words that stands in the body.";

describe("a PDF", () => {
  test("gives its text with pages, paragraphs and headings", async () => {
    const { text, blocks, lines, title, metadata } = await read(
      [
        [
          { text: "The Great Report", size: 24 },
          { text: "Introduction . . . . . . . . . . 3", size: 16, gap: 40 },
          "The quick brown fox jumps over the exam-",
          `ple of a lazy dog. ${LONG}`,
          LONG,
          { text: "A second paragraph.", gap: 30 },
        ],
        ["Page two says hello."],
      ],
      { author: "A. Writer" },
    );
    expect(blocks.map(({ kind, start, end, level }) => [kind, level, text.slice(start, end)])).toEqual([
      ["heading", 1, "The Great Report"],
      ["heading", 2, "Introduction 3"],
      ["paragraph", undefined, `The quick brown fox jumps over the example of a lazy dog. ${LONG}\n${LONG}`],
      ["paragraph", undefined, "A second paragraph."],
      ["paragraph", undefined, "Page two says hello."],
    ]);
    expect(lines.map(({ line }) => line)).toEqual([1, 1, 1, 1, 2]);
    expect({ title, metadata }).toEqual({
      title: "The Great Report",
      metadata: { author: "A. Writer", pages: 2 },
    });
  });

  test("has the title of its description, unless that is the name of a file", async () => {
    expect((await read([["Text."]], { title: "On Herons" })).title).toBe("On Herons");
    expect((await read([["Text."]], { title: "Microsoft Word - draft7.doc" })).title).toBeUndefined();
    expect((await read([["Text."]], { title: "herons-final.tex" })).title).toBeUndefined();
  });

  test("keeps letters beyond ASCII", async () => {
    expect((await read([["Fünf Öre für \xdcbermut"]])).text).toBe("Fünf Öre für Übermut");
  });

  test("that is encrypted with a password is refused, one that opens without is read", async () => {
    await expect(read([["Secret."]], { password: "secret" })).rejects.toMatchObject({
      name: "UnreadableFile",
      message: "the PDF is encrypted: it needs a password",
    });
    expect((await read([["Open."]], { password: "" })).text).toBe("Open.");
  });

  test("without text says so", async () => {
    await expect(read([[], []])).rejects.toThrow("the PDF has no text on its 2 pages: scanned pages need");
  });

  test.each([
    ["nothing", new Uint8Array(0)],
    ["no PDF", Buffer.from("%PDF-1.7 and nothing else")],
    ["the first half", pdfFile([["A text."]]).slice(0, 250)],
  ])("that is damaged is refused: %s", async (_, bytes) => {
    await expect(extractPdf(Buffer.from(bytes))).rejects.toMatchObject({
      name: "UnreadableFile",
      message: expect.stringMatching(/^the PDF is damaged: [^\n]+$/),
    });
  });

  test("stops between pages", async () => {
    const signal = AbortSignal.abort();
    await expect(extractPdf(Buffer.from(pdfFile([["A text."]])), signal)).rejects.toMatchObject({
      code: "ABORTED",
    });
  });
});

describe("lines of a page", () => {
  const run = (str: string, x: number, y: number, size = 10, hasEOL = false) => ({
    ...{ str, hasEOL },
    transform: [size, 0, 0, size, x, y],
  });

  test("end where the page says so, or where the next run stands elsewhere", () => {
    const lines = linesOfRuns([
      run("E = mc", 0, 100),
      run("2", 40, 104, 6),
      run(" holds.", 44, 100, 10, true),
      run("Large", 0, 80, 20),
      run("small below", 0, 60, 10),
      run("  ", 0, 40, 10, true),
    ]);
    expect(lines).toEqual([
      { text: "E = mc2 holds.", size: 10, y: 100 },
      { text: "Large", size: 20, y: 80 },
      { text: "small below", size: 10, y: 60 },
    ]);
  });

  test("of the next column go on with the sentence", () => {
    const line = (text: string, y: number) => ({ text, size: 10, y });
    const columns = [
      line("first line of the", 100),
      line("column goes", 88),
      line("on above.", 100),
      line("End", 88),
    ];
    const { text } = layoutPdf([columns]);
    expect(text).toBe("first line of the\ncolumn goes\non above.\nEnd");
    expect(layoutPdf([[line("It ends.", 88), line("Another.", 100)]]).text).toBe("It ends.\n\nAnother.");
  });
});
