import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { passageInput } from "../../../src/text/context.js";
import { extractText } from "../../../src/text/extract/index.js";
import { splitDocument } from "../../../src/text/split.js";
import type { PassageSpan, TextBlock, TokenCounter } from "../../../src/text/types.js";

const words: TokenCounter = (text) => text.match(/[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu)?.length ?? 0;
const characters: TokenCounter = (text) => text.length;

const texts = (text: string, spans: readonly PassageSpan[]): string[] =>
  spans.map(({ start, end }) => text.slice(start, end));

function splitMarkdown(
  source: string,
  budget: number,
): Array<{ context: string; text: string; lines: string }> {
  const document = extractText(source, "markdown");
  return splitDocument(document, { budget, countTokens: words }).map(
    ({ start, end, context, lineStart, lineEnd }) => ({
      context,
      text: document.text.slice(start, end),
      lines: `${lineStart}-${lineEnd}`,
    }),
  );
}

describe("a document that fits whole", () => {
  test("is one passage with its title as context", () => {
    const spans = splitDocument(
      { text: " One.\n\nTwo. \n", title: "A  title" },
      { budget: 20, countTokens: words },
    );
    expect(spans).toEqual([{ start: 1, end: 11, lineStart: 1, lineEnd: 3, context: "A title" }]);
    expect(passageInput("A title", "One.")).toBe("A title One.");
  });

  test("does not repeat a title that stands in its first line", () => {
    const options = { budget: 20, countTokens: words };
    expect(splitDocument({ text: "A Title\n\ntext", title: "A title" }, options)[0]!.context).toBe("");
    expect(splitDocument({ text: "A title is text", title: "A title" }, options)[0]!.context).toBe("A title");
  });

  test("without visible characters is one empty passage", () => {
    for (const text of ["", " \n\t\u3000"]) {
      expect(splitDocument({ text, title: "T" }, { budget: 8, countTokens: words })).toEqual([
        { start: 0, end: 0, lineStart: 1, lineEnd: 1, context: "T" },
      ]);
    }
  });
});

describe("cuts", () => {
  test("stand before headings, and the context is the path of headings above", () => {
    const source =
      "# Guide\n\nIntro words.\n\n## Install\n\nRun the installer now.\n\n### Linux\n\nUse the package of it.\n\n## Use\n\nCall it with care.\n";
    expect(splitMarkdown(source, 12)).toEqual([
      { context: "", text: "Guide\n\nIntro words.", lines: "1-3" },
      { context: "Guide", text: "Install\n\nRun the installer now.", lines: "5-7" },
      { context: "Guide > Install", text: "Linux\n\nUse the package of it.", lines: "9-11" },
      { context: "Guide", text: "Use\n\nCall it with care.", lines: "13-15" },
    ]);
  });

  test("leave small sections of one parent together, and not those of two parents", () => {
    const source =
      "# A\n\na a a a a a a a a a a a a\n\n## A1\n\na b\n\n## A2\n\nc d\n\n# B\n\nb b b b b b b b b b b b\n";
    expect(splitMarkdown(source, 16).map(({ text }) => text)).toEqual([
      "A\n\na a a a a a a a a a a a a",
      "A1\n\na b\n\nA2\n\nc d",
      "B\n\nb b b b b b b b b b b b",
    ]);
  });

  test("never come right after a heading", () => {
    const source = `# One\n\n${"word ".repeat(30)}\n\n## Two\n\n${"other ".repeat(30)}\n\n### Empty\n\n## Three\n\nend`;
    for (let budget = 8; budget < 60; budget++) {
      const document = extractText(source, "markdown");
      const headings = document.blocks.filter(({ kind }) => kind === "heading").map(({ end }) => end);
      for (const { end } of splitDocument(document, { budget, countTokens: words })) {
        expect(headings).not.toContain(end);
      }
    }
  });

  test("inside a paragraph repeat one sentence", () => {
    const text = "One two three four. Five six seven eight. Nine ten eleven twelve. Last one here now.";
    const split = (overlapSentences: number): string[] =>
      texts(text, splitDocument({ text }, { budget: 14, countTokens: words, overlapSentences }));
    expect(split(0)).toEqual([
      "One two three four. Five six seven eight.",
      "Nine ten eleven twelve. Last one here now.",
    ]);
    const long = "A b. C d. E f. G h. I j. K l. M n. O p.";
    expect(texts(long, splitDocument({ text: long }, { budget: 14, countTokens: words }))).toEqual([
      "A b. C d. E f. G h.",
      "G h. I j. K l. M n.",
      "M n. O p.",
    ]);
  });

  test("between paragraphs repeat nothing", () => {
    const text = "One two three four five.\n\nSix seven eight nine ten.\n\nEleven twelve.";
    expect(texts(text, splitDocument({ text }, { budget: 7, countTokens: words }))).toEqual([
      "One two three four five.",
      "Six seven eight nine ten.",
      "Eleven twelve.",
    ]);
  });

  test("of code stand between lines", () => {
    const text = Array.from({ length: 40 }, (_, i) => `call${i}(a, b);`).join("\n");
    for (const passage of texts(
      text,
      splitDocument(extractText(text, "code"), { budget: 30, countTokens: words }),
    )) {
      expect(passage).toMatch(/^call\d+\(.*;$/s);
    }
  });

  test("a long context loses outer headings, and takes a quarter of the budget at most", () => {
    const source = `# ${"outer ".repeat(30)}\n\n## Inner one\n\n${"word ".repeat(100)}`;
    const passages = splitMarkdown(source, 40);
    expect(passages.at(-1)!.context).toBe("Inner one");
    for (const { context } of passages) expect(words(context)).toBeLessThanOrEqual(10);
  });
});

const text = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.stringMatching(/^[a-z]{1,12}$/) },
      fc.constantFrom(
        " ",
        "  ",
        "\n",
        "\n\n",
        ". ",
        "? ",
        "\r\n",
        "\t",
        "😀",
        "👩‍👩‍👧",
        "e\u0301",
        "漢字",
        "。",
        "e.g. ",
        "\0",
      ),
      fc.string({ unit: "binary", maxLength: 6 }),
    ),
    { maxLength: 120 },
  )
  .map((parts) => parts.join(""));

const blocks = fc.array(
  fc.record({
    kind: fc.constantFrom<TextBlock["kind"]>("heading", "paragraph", "code", "list-item", "table", "quote"),
    start: fc.integer({ min: -3, max: 400 }),
    end: fc.integer({ min: -3, max: 500 }),
    level: fc.integer({ min: 0, max: 8 }),
  }),
  { maxLength: 12 },
);

test("a character that cannot be cut goes without its context before the budget is exceeded", () => {
  const family = "\u{1f469}\u200d\u{1f469}\u200d\u{1f467}";
  const spans = splitDocument(
    { text: family, title: "!" },
    { budget: 8, countTokens: (text) => text.length },
  );
  expect(spans).toMatchObject([{ start: 0, end: 8, context: "" }]);
});

describe("passages of any document", () => {
  test.each([
    ["words", words],
    ["characters", characters],
  ])("are ordered, hold every visible character, cut no pair and keep the budget (%s)", (_, countTokens) => {
    fc.assert(
      fc.property(
        text,
        blocks,
        fc.option(fc.string({ maxLength: 30 }), { nil: null }),
        fc.integer({ min: 8, max: 60 }),
        fc.integer({ min: 0, max: 2 }),
        (body, given, title, budget, overlapSentences) => {
          const input = { text: body, title, blocks: given };
          const options = { budget, countTokens, overlapSentences };
          const spans = splitDocument(input, options);
          expect(splitDocument(input, options)).toEqual(spans);
          const covered = new Uint8Array(body.length);
          for (const [i, { start, end, context, lineStart, lineEnd }] of spans.entries()) {
            expect(start).toBeGreaterThanOrEqual(0);
            expect(end).toBeLessThanOrEqual(body.length);
            if (body.trim() !== "") expect(end).toBeGreaterThan(start);
            expect(lineEnd).toBeGreaterThanOrEqual(lineStart);
            const before = spans[i - 1];
            if (before !== undefined) {
              expect(start).toBeGreaterThan(before.start);
              expect(end).toBeGreaterThan(before.end);
            }
            for (const cut of [start, end]) {
              expect(/^[\ud800-\udbff][\udc00-\udfff]$/.test(body.slice(cut - 1, cut + 1))).toBe(false);
            }
            expect(countTokens(passageInput(context, body.slice(start, end)))).toBeLessThanOrEqual(budget);
            covered.fill(1, start, end);
          }
          for (let i = 0; i < body.length; i++) if (body[i]!.trim() !== "") expect(covered[i]).toBe(1);
        },
      ),
      { numRuns: 300 },
    );
  });

  test.each([
    ["one word", "a".repeat(1e6)],
    ["words", "word ".repeat(2e5)],
    ["sentences", "This is a sentence of words. ".repeat(35_000)],
    ["line breaks", `a${"\n".repeat(1e6)}b`],
    ["pairs", "😀".repeat(5e5)],
    ["full stops", ". ".repeat(5e5)],
    ["combining marks", "\u0301".repeat(1e6)],
  ])("take time and counting linear in the text: %s", (_, long) => {
    let counted = 0;
    const countTokens: TokenCounter = (piece) => {
      counted += piece.length;
      return Math.ceil(piece.length / 4);
    };
    const started = performance.now();
    const spans = splitDocument({ text: long, title: "T" }, { budget: 300, countTokens });
    expect(spans.length).toBeGreaterThan(1);
    expect(counted).toBeLessThan(4 * long.length);
    expect(performance.now() - started).toBeLessThan(15_000);
  });
});

test("a budget that is no positive integer is refused", () => {
  expect(() => splitDocument({ text: "a" }, { budget: 0, countTokens: words })).toThrow(
    expect.objectContaining({ code: "INVALID_ARGUMENT" }),
  );
});
