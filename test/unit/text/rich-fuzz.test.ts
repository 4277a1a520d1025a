/** Damaged and random files: each reader gives a text or says why not, and nothing else comes out of it. */

import fc from "fast-check";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { extractRich } from "../../../src/text/extract/rich.js";
import type { RichFormat } from "../../../src/text/formats.js";
import { docxFile, epubFile, notebookFile } from "../../support/office-files.js";
import { pdfFile } from "../../support/pdf-file.js";

const SAMPLES: Readonly<Record<RichFormat, Uint8Array>> = {
  pdf: pdfFile([["A heron stands in the reeds.", { text: "It waits.", size: 20 }], ["Second page."]], {
    title: "Herons",
    password: "",
  }),
  docx: docxFile([
    { text: "Herons", style: "Heading1" },
    "A heron stands in the reeds.",
    { text: "", cells: ["a", "b"] },
  ]),
  epub: epubFile({
    title: "Herons",
    author: "Ida",
    chapters: ["<h1>One</h1><p>A heron.</p>", "<p>Reeds.</p>"],
  }),
  notebook: Buffer.from(
    notebookFile([
      ["markdown", "# Herons"],
      ["code", ["x = 1\n", "y = 2"]],
    ]),
  ),
};
const FORMATS = Object.keys(SAMPLES) as RichFormat[];

/** What nobody waits for would end a process. */
const stray: unknown[] = [];
const onStray = (error: unknown): void => void stray.push(error);
beforeAll(() => void process.on("unhandledRejection", onStray));
afterAll(() => {
  process.off("unhandledRejection", onStray);
  expect(stray).toEqual([]);
});

async function check(bytes: Uint8Array, format: RichFormat): Promise<void> {
  try {
    const { text, blocks, lines } = await extractRich(Buffer.from(bytes), format);
    for (const { start, end } of blocks) expect(start >= 0 && start < end && end <= text.length).toBe(true);
    for (const { line } of lines) expect(Number.isSafeInteger(line) && line >= 1).toBe(true);
  } catch (error) {
    expect(error).toMatchObject({ name: "UnreadableFile", message: expect.stringMatching(/^[^\n]+$/) });
  }
}

/** Changes of single bytes, and an end that may be missing. */
const damage = fc.record({
  changes: fc.array(fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(255)), { maxLength: 5 }),
  keep: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
});

function damaged(
  sample: Uint8Array,
  { changes, keep }: typeof damage extends fc.Arbitrary<infer T> ? T : never,
): Uint8Array {
  const bytes = sample.slice(0, Math.ceil(sample.length * keep));
  for (const [at, value] of changes) if (bytes.length > 0) bytes[Math.floor(at * bytes.length)] = value;
  return bytes;
}

describe.each(FORMATS)("%s", (format) => {
  test("with changed bytes and without its end", async () => {
    await fc.assert(
      fc.asyncProperty(damage, (how) => check(damaged(SAMPLES[format], how), format)),
      { numRuns: 150 },
    );
  });

  test("of random bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), (bytes) => check(bytes, format)),
      { numRuns: 60 },
    );
  });
});

describe("archives of odd parts", () => {
  const part = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.string({ maxLength: 100 }).map((text) => Buffer.from(text)),
    fc
      .array(
        fc.constantFrom(
          "<w:p>",
          "</w:p>",
          "<w:t>",
          "x",
          "<itemref idref='a'/>",
          "<item id='a' href='a' media-type='html'/>",
          "&#x41;",
          "<![CDATA[",
          "]]>",
        ),
        { maxLength: 12 },
      )
      .map((pieces) => Buffer.from(pieces.join(""))),
  );
  const names = [
    "word/document.xml",
    "_rels/.rels",
    "[Content_Types].xml",
    "META-INF/container.xml",
    "OEBPS/book.opf",
    "a",
  ];
  test.each(["docx", "epub"] as const)("%s", async (format) => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom(...names), part, { noNullPrototype: true }),
        async (parts) => {
          await check(zipSync(parts, { level: 0 }), format);
          if (format === "docx") await check(docxFile(["x"], parts), format);
          else await check(epubFile({ chapters: ["x"] }, parts), format);
        },
      ),
      { numRuns: 100 },
    );
  });
});

test("notebooks of any JSON", async () => {
  await fc.assert(
    fc.asyncProperty(fc.json(), fc.constantFrom("x", "cells", "worksheets"), (json, key) =>
      check(Buffer.from(`{"${key}": [${json}]}`), "notebook"),
    ),
    { numRuns: 200 },
  );
});
