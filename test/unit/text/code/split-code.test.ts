import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { passageInput } from "../../../../src/text/context.js";
import { extractText } from "../../../../src/text/extract/index.js";
import { splitDocument } from "../../../../src/text/split.js";
import type { PassageSpan, TextBlock } from "../../../../src/text/types.js";
import { countPieces, showPassages } from "../../../support/outline.js";

const folder = join(import.meta.dirname, "../../../fixtures/code");
const samples = readdirSync(folder)
  .filter((name) => name.endsWith(".txt") && name !== "expected.txt")
  .map((name) => ({ name: name.replace(/\.txt$/, ""), source: readFileSync(join(folder, name), "utf8") }));
const extensions = samples.map(({ name }) => name.split(".").at(-1)!);

function split(source: string, name: string, budget: number): { text: string; spans: PassageSpan[] } {
  const document = extractText(source, "code", name);
  return { text: document.text, spans: splitDocument(document, { budget, countTokens: countPieces }) };
}

function checkBlocks(text: string, blocks: readonly TextBlock[]): void {
  let end = 0;
  for (const block of blocks) {
    expect(text.slice(end, block.start).trim()).toBe("");
    expect(block.end).toBeGreaterThan(block.start);
    end = block.end;
  }
  expect(text.slice(end).trim()).toBe("");
}

/** Every visible character lies in one passage, in order; lines are right; nothing is over the budget. */
function checkPassages(text: string, spans: readonly PassageSpan[], budget: number): void {
  let end = 0;
  for (const span of spans) {
    expect(text.slice(end, span.start).trim()).toBe("");
    expect(span.lineStart).toBe(text.slice(0, span.start).split("\n").length);
    expect(span.lineEnd).toBe(text.slice(0, Math.max(0, span.end - 1)).split("\n").length);
    const passage = text.slice(span.start, span.end);
    expect(passage.trim()).toBe(passage);
    const weight = countPieces(passageInput(span.context, passage));
    if (weight > budget) expect([...passage]).toHaveLength(1);
    end = span.end;
  }
  expect(text.slice(end).trim()).toBe("");
}

const sample = fc.constantFrom(...samples);

describe("passages", () => {
  test("cover every sample once, in order, at any budget", () => {
    fc.assert(
      fc.property(sample, fc.integer({ min: 1, max: 400 }), ({ name, source }, budget) => {
        const { text, spans } = split(source, name, budget);
        checkPassages(text, spans, budget);
      }),
      { numRuns: 60 },
    );
  });

  test("cover whatever edits leave of a sample", () => {
    const edit = fc.tuple(
      fc.nat(),
      fc.nat(40),
      fc.oneof(
        fc.constantFrom(
          "",
          "{",
          "}",
          "(",
          ")",
          "`",
          '"',
          "'",
          "/*",
          "*/",
          "${",
          "\n",
          "<<EOF",
          "#if\n",
          'r#"',
          "[[",
          "<",
        ),
        fc.string({ unit: "binary", maxLength: 8 }),
      ),
    );
    fc.assert(
      fc.property(
        sample,
        fc.array(edit, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(...extensions),
        (...args) => {
          const [{ source }, edits, extension] = args;
          let text = source;
          for (const [place, removed, added] of edits) {
            const at = place % (text.length + 1);
            text = text.slice(0, at) + added + text.slice(at + removed);
          }
          const document = extractText(text, "code", `a.${extension}`);
          checkBlocks(document.text, document.blocks);
          checkPassages(document.text, splitDocument(document, { budget: 60, countTokens: countPieces }), 60);
        },
      ),
      { numRuns: 120 },
    );
  });

  test("of any text in any language", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 80 }),
        fc.constantFrom(...extensions),
        (source, extension) => {
          const { text, spans } = split(source, `a.${extension}`, 12);
          if (text.trim() !== "") checkPassages(text, spans, 12);
        },
      ),
    );
  });

  test("are the same for the same text", () => {
    for (const { name, source } of samples) expect(split(source, name, 70)).toEqual(split(source, name, 70));
  });
});

describe("one function is one passage", () => {
  const body = (name: string, lines: number): string =>
    `function ${name}() {\n${Array.from({ length: lines }, (_, i) => `  call${i}(alpha, beta);`).join("\n")}\n}`;

  test("when it fits and is not short", () => {
    const source = [body("one", 8), body("two", 8), body("three", 8)].join("\n\n");
    expect(showPassages(split(source, "x.js", 160).spans)).toEqual([
      "1-10 x.js > one()",
      "12-21 x.js > two()",
      "23-32 x.js > three()",
    ]);
  });

  test("short neighbours share one, under the name around them", () => {
    const members = ["a", "b", "c", "d"].map((name) => `  ${name}() {\n    return 1;\n  }`);
    const long = body("long", 20).replace(/^/gm, "  ").replace("function ", "");
    const source = `class A {\n${members.slice(0, 2).join("\n\n")}\n\n${long}\n\n${members.slice(2).join("\n\n")}\n}`;
    expect(showPassages(split(source, "x.js", 120).spans).filter((line) => !line.includes("long"))).toEqual([
      "1-8 x.js > class A",
      "33-40 x.js > class A",
    ]);
  });

  test("a long one is cut where a statement of its own begins, blank lines first", () => {
    const block = (i: number): string => `  for (const x of y${i}) {\n    first(x);\n    second(x);\n  }`;
    const source = `function f() {\n${block(1)}\n${block(2)}\n\n${block(3)}\n${block(4)}\n${block(5)}\n}`;
    expect(showPassages(split(source, "x.js", 64).spans)).toEqual([
      "1-9 x.js > f()",
      "11-18 x.js > f()",
      "19-23 x.js > f()",
    ]);
  });

  test("a file that fits is one passage", () => {
    expect(split("function a() {}\nfunction b() {}\n", "x.js", 60).spans).toEqual([
      { start: 0, end: 31, lineStart: 1, lineEnd: 2, context: "x.js" },
    ]);
  });

  test("blocks of a caller may name scopes that nothing opens", () => {
    const text = `${"a b c d e f\n".repeat(10)}${"g h i j k l\n".repeat(10)}`;
    const blocks: TextBlock[] = [
      { kind: "code", start: 0, end: 120, scope: ["x", "y"] },
      { kind: "code", start: 120, end: 240, scope: ["x"] },
    ];
    const spans = splitDocument({ text, blocks }, { budget: 40, countTokens: countPieces });
    checkPassages(text, spans, 40);
    expect(new Set(spans.map(({ context }) => context))).toEqual(new Set(["x > y", "x"]));
  });
});

describe("hostile files take linear time", () => {
  const size = 60_000;
  const texts: Record<string, string> = {
    braces: "{".repeat(size),
    closing: "}\n".repeat(size / 2),
    "deep nesting": "function f() {\n".repeat(size / 15),
    "brackets of all kinds": "([{".repeat(size / 3),
    "one line": "a=b/c;f('x',\"y\",`z`);".repeat(size / 21),
    slashes: "=/[ ".repeat(size / 4),
    quotes: "' \" ` ".repeat(size / 6),
    "escaped quotes": '\\"'.repeat(size / 2),
    "open comments": "/* ".repeat(size / 3),
    "comments on one line": `${"/**/".repeat(size / 4)}\nfunction f() {}`,
    "comment lines": `${"// a\n".repeat(size / 5)}function f() {\n}`,
    templates: "`${".repeat(size / 3),
    heredocs: Array.from({ length: size / 10 }, (_, i) => `<<E${i}`).join("\n"),
    "one heredoc word": "cat <<A A\n".repeat(size / 10),
    "raw strings": Array.from({ length: size / 10 }, (_, i) => `R"${i}( r${"#".repeat(i % 20)}"`).join(" "),
    "dollar quotes": Array.from({ length: size / 8 }, (_, i) => `$t${i}$`).join(" "),
    "long brackets": Array.from({ length: size / 40 }, (_, i) => `[${"=".repeat(i % 70)}[`).join(" "),
    angles: "class A<".repeat(size / 8),
    "angle lines": "fn f<\n".repeat(size / 6),
    names: "a.".repeat(size / 2),
    decorators: "@a\n".repeat(size / 3),
    "growing indentation": Array.from({ length: 800 }, (_, i) => `${" ".repeat(i)}def f():`).join("\n"),
    "statements without end": Array.from({ length: 800 }, (_, i) => `${" ".repeat(i)}const a`).join("\n"),
    conditions: "#if a\n#else\n".repeat(size / 12),
    "sql statements": "CREATE FUNCTION f BEGIN CASE\n ".repeat(size / 30),
    "php tags": "<?php ?>".repeat(size / 8),
  };

  test.each(Object.keys(texts))("%s", (key) => {
    const source = texts[key]!;
    for (const extension of new Set(extensions)) {
      const started = performance.now();
      const { text, blocks } = extractText(source, "code", `a.${extension}`);
      checkEnds(text, blocks);
      // 60 kB take some 10 ms; a quadratic step takes many seconds.
      expect(performance.now() - started, extension).toBeLessThan(4_000);
    }
  });

  function checkEnds(text: string, blocks: readonly TextBlock[]): void {
    const covered = blocks.reduce((sum, { start, end }) => sum + end - start, 0);
    const gaps = blocks.map(({ start }, i) => text.slice(blocks[i - 1]?.end ?? 0, start));
    expect(gaps.join("").trim()).toBe("");
    expect(covered + gaps.join("").length + text.length - (blocks.at(-1)?.end ?? 0)).toBe(text.length);
  }
});
