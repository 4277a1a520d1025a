import { strToU8 } from "fflate";
import { describe, expect, test } from "vitest";
import { extractDocx } from "../../../src/text/extract/docx.js";
import { extractEpub } from "../../../src/text/extract/epub.js";
import { extractNotebook } from "../../../src/text/extract/notebook.js";
import type { ExtractedText } from "../../../src/text/types.js";
import { docxFile, epubFile, notebookFile } from "../../support/office-files.js";

/** Blocks as [kind, text, position]. */
function blocksOf({ text, blocks, lines }: ExtractedText): unknown[] {
  return blocks.map(({ kind, start, end, level }) => [
    level === undefined ? kind : `${kind} ${level}`,
    text.slice(start, end),
    lines.findLast(({ offset }) => offset <= start)?.line,
  ]);
}

/** The archive, whose directory says that an entry has 300 MB. */
function claiming(zip: Uint8Array, name: string): Buffer {
  const bytes = Buffer.from(zip);
  bytes.writeUInt32LE(300_000_000, bytes.lastIndexOf(name) - 46 + 24);
  return bytes;
}

describe("a Word document", () => {
  test("gives headings, paragraphs and tables with the numbers of their paragraphs", async () => {
    const extracted = await extractDocx(
      Buffer.from(
        docxFile([
          { text: "My Title", style: "Title" },
          "First & <foremost>.",
          "",
          { text: "Chapter", style: "Heading1" },
          { text: "Part", style: "Heading2" },
          { text: "", cells: ["a", "b"] },
          "Last.",
        ]),
      ),
    );
    expect(blocksOf(extracted)).toEqual([
      ["heading 1", "My Title", 1],
      ["paragraph", "First & <foremost>.", 2],
      ["heading 1", "Chapter", 4],
      ["heading 2", "Part", 5],
      ["table", "a | b", 6],
      ["paragraph", "Last.", 8],
    ]);
    expect(extracted.title).toBe("My Title");
  });

  test("has the title and author of its properties", async () => {
    const core = strToU8(
      '<cp:coreProperties xmlns:cp="c" xmlns:dc="d"><dc:title>Of Herons &amp; Reeds</dc:title><dc:creator>Ida</dc:creator></cp:coreProperties>',
    );
    const extracted = await extractDocx(Buffer.from(docxFile(["Text."], { "docProps/core.xml": core })));
    expect(extracted).toMatchObject({ title: "Of Herons & Reeds", metadata: { author: "Ida" } });
  });

  test("is not unpacked where it is no text", async () => {
    const bytes = claiming(
      docxFile(["Text."], { "word/media/huge.png": new Uint8Array(8) }),
      "word/media/huge.png",
    );
    expect((await extractDocx(bytes)).text).toBe("Text.");
  });

  test.each([
    ["no zip", Buffer.from("PK nothing"), "it is no zip archive"],
    ["another zip", Buffer.from(epubFile({ chapters: ["x"] })), "it is no Word document"],
    [
      "encrypted",
      Buffer.from("d0cf11e0a1b11ae1000000", "hex"),
      "it is encrypted, or a document of the old .doc format",
    ],
    [
      "entities",
      Buffer.from(
        docxFile([], {
          "word/document.xml": strToU8(
            '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><w:document>&b;</w:document>',
          ),
        }),
      ),
      "word/document.xml declares a document type",
    ],
    [
      "no XML",
      Buffer.from(docxFile([], { "word/document.xml": strToU8("<w:document><w:body>") })),
      "the document is damaged",
    ],
    ["too much", claiming(docxFile(["x"]), "word/document.xml"), "more than 268435456 bytes"],
  ])("is refused: %s", async (_, bytes, message) => {
    await expect(extractDocx(bytes)).rejects.toMatchObject({
      name: "UnreadableFile",
      message: expect.stringContaining(message),
    });
  });
});

describe("an EPUB", () => {
  const book = {
    title: "Of Herons",
    author: "Ida",
    chapters: ["<h1>One</h1><p>Alpha</p>", "", "<p>Beta<br/>more</p>"],
  };

  test("gives its chapters in the reading order", () => {
    const extracted = extractEpub(Buffer.from(epubFile(book)));
    expect(blocksOf(extracted)).toEqual([
      ["heading 1", "One", 1],
      ["paragraph", "Alpha", 1],
      ["paragraph", "Beta\nmore", 3],
    ]);
    expect(extracted).toMatchObject({ title: "Of Herons", metadata: { author: "Ida", language: "en" } });
  });

  test("does not expand the entities that it defines", () => {
    const opf = strToU8(
      '<!DOCTYPE package [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><package><metadata><dc:title>T &b;</dc:title></metadata>' +
        '<manifest><item id="c0" href="text/ch%201.xhtml" media-type="application/xhtml+xml"/></manifest>' +
        '<spine><itemref idref="c0"/></spine></package>',
    );
    const { title } = extractEpub(Buffer.from(epubFile(book, { "OEBPS/book.opf": opf })));
    expect(title).toBe("T &b;");
  });

  test.each([
    ["no container", { "META-INF/container.xml": strToU8("") }, "names no package document"],
    [
      "no package",
      { "META-INF/container.xml": strToU8('<rootfile full-path="x.opf"/>') },
      "x.opf is missing",
    ],
    ["no spine", { "OEBPS/book.opf": strToU8("<package/>") }, "its spine is empty"],
    [
      "protected",
      {
        "META-INF/encryption.xml": strToU8(
          '<encryption><EncryptedData><CipherData><CipherReference URI="OEBPS/text/ch%201.xhtml"/></CipherData></EncryptedData></encryption>',
        ),
      },
      "the book is protected: OEBPS/text/ch 1.xhtml is encrypted",
    ],
  ])("is refused: %s", (_, files, message) => {
    expect(() => extractEpub(Buffer.from(epubFile(book, files)))).toThrow(message);
  });

  test("whose encrypted files are fonts is read", () => {
    const encryption = strToU8('<encryption><CipherReference URI="OEBPS/font.otf"/></encryption>');
    const { text } = extractEpub(Buffer.from(epubFile(book, { "META-INF/encryption.xml": encryption })));
    expect(text).toContain("Alpha");
  });
});

describe("a notebook", () => {
  test("gives its cells with their numbers, without outputs", () => {
    const extracted = extractNotebook(
      notebookFile([
        ["markdown", ["# Herons\n", "\n", "They *wait*."]],
        ["code", ["import os\n", "print(1)"]],
        ["code", ""],
        ["raw", "As it is."],
      ]),
    );
    expect(blocksOf(extracted)).toEqual([
      ["heading 1", "Herons", 1],
      ["paragraph", "They wait.", 1],
      ["code", "import os\nprint(1)", 2],
      ["paragraph", "As it is.", 4],
    ]);
    expect(extracted).toMatchObject({ title: "Herons", metadata: { language: "python" } });
    expect(extracted.text).not.toContain("printed");
  });

  test("of format 3 has its cells in worksheets", () => {
    const cells = [
      { cell_type: "heading", level: 2, source: "Old" },
      { cell_type: "code", input: ["x = 1"], outputs: [] },
    ];
    expect(blocksOf(extractNotebook(JSON.stringify({ nbformat: 3, worksheets: [{ cells }] })))).toEqual([
      ["heading 2", "Old", 1],
      ["code", "x = 1", 2],
    ]);
  });

  test.each([
    ["", "the notebook is not JSON"],
    ['{"cells": [', "the notebook is not JSON"],
    ["[]", "it is no notebook: a JSON object was expected"],
    ["{}", 'it is no notebook: a list "cells" was expected'],
    ['{"cells": []}', "the notebook has no cells"],
    ['{"cells": [1]}', "cell 1 of the notebook is no JSON object"],
    ['{"cells": [{"cell_type": "code", "source": 5}]}', "the source of cell 1 is neither"],
    ['{"worksheets": [{}]}', 'a list "cells" was expected'],
  ])("is refused: %s", (source, message) => {
    expect(() => extractNotebook(source)).toThrow(message);
  });
});
