import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseFrontMatter } from "../../../src/text/extract/front-matter.js";
import { extractText, formatOf, type TextFormat } from "../../../src/text/extract/index.js";
import { LineMap } from "../../../src/text/lines.js";

/** Blocks as "kind level? @line: text". */
function show(source: string, format: TextFormat): string[] {
  const { text, blocks, lines } = extractText(source, format);
  const map = new LineMap(text, lines);
  return blocks.map(
    ({ kind, level, start, end }) => `${kind}${level ?? ""} @${map.lineAt(start)}: ${text.slice(start, end)}`,
  );
}

test("the format is told by the extension", () => {
  const formats = ["a.md", "x/B.HTM", "a.rst", "a.py", "a.d.ts", "a.txt", "README", ".md", "dir.md/file"].map(
    formatOf,
  );
  expect(formats).toEqual(["markdown", "html", "rst", "code", "code", "plain", "plain", "markdown", "plain"]);
});

describe("plain text", () => {
  test("keeps its text but for line ends and the byte order mark", () => {
    expect(extractText("\ufeffa\r\nb\r\rc\r\n", "plain")).toEqual({
      text: "a\nb\n\nc\n",
      blocks: [
        { kind: "paragraph", start: 0, end: 3 },
        { kind: "paragraph", start: 5, end: 6 },
      ],
      lines: [{ offset: 0, line: 1 }],
    });
  });
});

describe("Markdown", () => {
  test("a paragraph of nothing but emphasis marks is plain text", () => {
    const endless = "*a_".repeat(20_000);
    expect(show(endless, "markdown")).toEqual([`paragraph @1: ${endless}`]);
    expect(show(`*one*\n\n${"*a* ".repeat(900)}`, "markdown")[0]).toBe("paragraph @1: one");
  });

  test("gives blocks with their source lines", () => {
    const source = [
      "# Head *one*",
      "",
      "Text with [a link](http://x), ![alt](i.png), `code`,",
      "<b>bold</b> and ~~old~~.",
      "",
      "- item 1",
      "- item 2",
      "  - nested",
      "",
      "```js",
      "let x = 1;",
      "",
      "f();",
      "```",
      "",
      "> quoted",
      "",
      "| a | b |",
      "|---|---|",
      "| 1 | `2` |",
      "",
      "<div>",
      "<p>in HTML</p>",
      "<script>no()</script>",
      "</div>",
      "",
      "Under",
      "-----",
      "",
      "See [ref] and note[^1].",
      "",
      "[ref]: http://y",
      "[^1]: The note.",
    ].join("\n");
    expect(show(source, "markdown")).toEqual([
      "heading1 @1: Head one",
      "paragraph @3: Text with a link, alt, code,\nbold and old.",
      "list-item @6: item 1",
      "list-item @7: item 2",
      "list-item @8: nested",
      "code @11: let x = 1;\n\nf();",
      "quote @16: quoted",
      "table @18: a | b\n1 | 2",
      "paragraph @23: in HTML",
      "heading2 @27: Under",
      "paragraph @30: See ref and note.",
      "paragraph @33: The note.",
    ]);
    const { text, lines, title } = extractText(source, "markdown");
    expect(new LineMap(text, lines).lineAt(text.indexOf("1 | 2"))).toBe(20);
    expect(title).toBe("Head one");
  });

  test("reads front matter", () => {
    const source =
      '---\ntitle: "A: title"\ntags: [a, "b, c", 3]\nlist:\n  - x # comment\n  - \'y\'\ndraft: false\nversion: 1.10.0\nnested:\n  key: 1\ntext: >\n  two\n  lines\n__proto__: odd\n---\n\nBody';
    const { title, metadata, text, lines } = extractText(source, "markdown");
    expect({ title, text, line: lines[0]!.line }).toEqual({ title: "A: title", text: "Body", line: 17 });
    expect(Object.entries(metadata!)).toEqual([
      ["tags", ["a", "b, c", 3]],
      ["list", ["x", "y"]],
      ["draft", false],
      ["version", "1.10.0"],
      ["text", "two lines"],
      ["__proto__", "odd"],
    ]);
    expect(parseFrontMatter("---\nnot closed")).toBeUndefined();
    expect(show("---\nnot closed", "markdown")).toEqual(["paragraph @2: not closed"]);
  });

  test("links are resolved and lines are right in a file of many pieces", () => {
    const paragraph = "Some *emphasis* and [a link][ref] in a paragraph.\n\n- item [other]\n\nplain text\n\n";
    const source = `${paragraph.repeat(800)}[ref]: http://x\n[other]: http://y\n`;
    const blocks = show(source, "markdown");
    expect(blocks).toHaveLength(2400);
    expect(blocks.slice(-3)).toEqual([
      "paragraph @4795: Some emphasis and a link in a paragraph.",
      "list-item @4797: item other",
      "paragraph @4799: plain text",
    ]);
  });

  test("fenced code with blank lines and headings stays one block", () => {
    const code = "# not a heading\n\nplain\n\n".repeat(400).trimEnd();
    expect(show(`Text\n\n~~~\n${code}\n~~~\n\n# End`, "markdown")).toEqual([
      "paragraph @1: Text",
      `code @4: ${code}`,
      expect.stringMatching(/^heading1 @\d+: End$/),
    ]);
  });
  test("takes nothing from a code line that looks like a link definition", () => {
    const source = "See *the* [data-ref] style.\n\n```css\n[data-ref]::before {\n  content: none;\n}\n```\n";
    expect(show(source, "markdown")).toEqual([
      "paragraph @1: See the [data-ref] style.",
      "code @4: [data-ref]::before {\n  content: none;\n}",
    ]);
  });
});

describe("HTML", () => {
  test("a paragraph in preformatted text of a table has the lines of the source", () => {
    const { text, lines } = extractText("<table>\n<pre>a\n<p>b</pre></table>", "html");
    expect(text).toBe("a\n b");
    expect(lines).toEqual([{ offset: 0, line: 2 }]);
  });

  test("gives what a reader sees, with source lines", () => {
    const source = [
      "<!doctype html><html><head><title>T &amp; x</title>",
      "<style>a { b }</style></head><body><nav>menu</nav>",
      "<h1>Head</h1>",
      "<p>Some <b>bold</b>&nbsp;text,",
      "",
      "second line<br>third &lt;tag&gt;",
      "<ul><li>one<li>two</ul>",
      "<pre>",
      "  code",
      "    more</pre>",
      "<table><tr><th>a<th>b</tr>",
      "<tr><td><p>1</p></td><td>2</td></tr></table>",
      "<blockquote><p>quote</p></blockquote>tail",
      "<script>if (a < b) '</p>'</script><svg><text>x</text></svg>",
      "<img alt='picture'>",
    ].join("\r\n");
    expect(show(source, "html")).toEqual([
      "heading1 @3: Head",
      "paragraph @4: Some bold text,\nsecond line\nthird <tag>",
      "list-item @7: one",
      "list-item @7: two",
      "code @9:   code\n    more",
      "table @11: a | b\n1 | 2",
      "quote @13: quote",
      "paragraph @13: tail\npicture",
    ]);
    const { text, lines, title } = extractText(source, "html");
    const map = new LineMap(text, lines);
    expect([map.lineAt(text.indexOf("second")), map.lineAt(text.indexOf("picture"))]).toEqual([6, 15]);
    expect(title).toBe("T & x");
  });

  test("takes the title from h1 when there is none", () => {
    expect(extractText("<h2>Two</h2><h1>One</h1>", "html").title).toBe("One");
  });
});

describe("reStructuredText", () => {
  test("gives sections, paragraphs, code, lists and tables", () => {
    const source = [
      "=====",
      "Title",
      "=====",
      "",
      "Intro *emph*, ``co*de``, `link <http://x>`_ and :ref:`target`::",
      "",
      "    literal",
      "      more",
      "",
      "Section",
      "-------",
      "",
      ".. note:: Be *careful*",
      "   here.",
      "",
      "   More of it.",
      "",
      ".. code-block:: python",
      "   :linenos:",
      "",
      "   def f():",
      "       pass",
      "",
      ".. _label:",
      ".. a comment",
      "",
      "- one",
      "  goes on",
      "- two",
      "",
      "+---+---+",
      "| a | b |",
      "+===+===+",
      "| 1 | 2 |",
      "+---+---+",
      "",
      "===  ===",
      "x    y y",
      "===  ===",
      "3    4",
      "===  ===",
      "",
      "Sub",
      "~~~",
      "",
      "End.",
    ].join("\n");
    expect(show(source, "rst")).toEqual([
      "heading1 @2: Title",
      "paragraph @5: Intro emph, co*de, link and target:",
      "code @7: literal\n  more",
      "heading2 @10: Section",
      "paragraph @13: Be careful\nhere.",
      "paragraph @16: More of it.",
      "code @21: def f():\n    pass",
      "list-item @27: one\ngoes on",
      "list-item @29: two",
      "table @32: a | b\n1 | 2",
      "table @38: x | y y\n3 | 4",
      "heading3 @43: Sub",
      "paragraph @46: End.",
    ]);
    expect(extractText(source, "rst").title).toBe("Title");
  });
});

test("code is cut before unindented chunks", () => {
  const source = "import x\n\ndef f():\n  a\n\n  b\n\nclass C:\n  pass\n";
  expect(show(source, "code")).toEqual([
    "code @1: import x",
    "code @3: def f():\n  a\n\n  b",
    "code @8: class C:\n  pass",
  ]);
  expect(extractText(source, "code").text).toBe(source);
});

test("lines of HTML are right after an ampersand at the end of a line", () => {
  expect(show("ab &\n<p>R&amp;D &\n\n<p>end", "html")).toEqual([
    "paragraph @1: ab &",
    "paragraph @2: R&D &",
    "paragraph @4: end",
  ]);
});

const FORMATS: readonly TextFormat[] = ["plain", "markdown", "html", "rst", "code"];

describe.each(FORMATS)("any input as %s", (format) => {
  test("gives blocks inside the text, in order, and ascending lines of the source", () => {
    const part = fc.constantFrom(
      ...[
        "# ",
        "- ",
        "1. ",
        "> ",
        "```",
        "~~~",
        "\n",
        "\n\n",
        "    ",
        "| a | b |",
        "|---|---|",
        "---",
        "===",
        "[a]",
        "(b)",
      ],
      ...[
        "<p>",
        "</p>",
        "<pre>",
        "<table>",
        "<td>",
        "<script>",
        "</script>",
        "<!--",
        "&amp;",
        "&",
        "<",
        ".. note::",
        "::",
      ],
      ...[
        ".. ",
        "``",
        "`",
        "**",
        "_",
        "\\",
        "word",
        "😀",
        "\0",
        "\ud800",
        "\r\n",
        "\t",
        "[^1]: ",
        "+--+",
        "=== ===",
      ],
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
        const source = parts.join("");
        const { text, blocks, lines } = extractText(source, format);
        let at = 0;
        for (const { start, end } of blocks) {
          expect(start).toBeGreaterThanOrEqual(at);
          expect(end).toBeGreaterThan(start);
          expect(text.slice(at, start).trim()).toBe("");
          at = end;
        }
        expect(text.slice(at).trim()).toBe("");
        const last = source.split(/\r\n?|\n/).length;
        for (const [i, { offset, line }] of lines.entries()) {
          expect(offset).toBeGreaterThanOrEqual(lines[i - 1]?.offset ?? 0);
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(last);
        }
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    ["one word", "a".repeat(1e6)],
    ["quotes", ">".repeat(2e5)],
    ["brackets", "[".repeat(5e4)],
    ["elements", "<div>".repeat(1e5)],
    ["attributes", `<a ${"x=1 y ".repeat(1e5)}`],
    ["ticks", "`a ".repeat(5e4)],
    ["white space", `a${" ".repeat(1e6)}b::`],
    ["line breaks", "\n".repeat(2e5)],
    ["open code", `\`\`\`\n${"x\n\n".repeat(2e4)}`],
    ["nesting", Array.from({ length: 600 }, (_, i) => `${" ".repeat(i)}.. a::`).join("\n")],
    ["list nesting", Array.from({ length: 300 }, (_, i) => `${" ".repeat(2 * i)}- a`).join("\n")],
    ["front matter", `---\na${" ".repeat(5e4)}\n---\n`],
  ])("takes bounded time: %s", (_, source) => {
    const started = performance.now();
    extractText(source, format);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
