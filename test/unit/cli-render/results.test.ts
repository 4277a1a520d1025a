import { describe, expect, it } from "vitest";
import { createColors } from "../../../src/cli/render/color.js";
import { type RenderableHit, renderHits } from "../../../src/cli/render/results.js";

const plain = createColors({}, {});
const marked = { ...plain, match: (text: string) => `<${text}>` };

const hit = (over: Partial<RenderableHit> = {}): RenderableHit => ({
  rank: 1,
  score: 24.813,
  id: "guide",
  snippet: { text: "cancel the running task", highlights: [] },
  ...over,
});

describe("renderHits", () => {
  it("shows rank, score, place and title, and the snippet below", () => {
    const hits = [
      hit({ where: "docs/guide.md:42", title: "Cancelling tasks" }),
      hit({ rank: 10, score: 3.5, id: "other" }),
    ];
    expect(renderHits(hits, { colors: plain, width: 80 })).toBe(
      " 1  24.81  docs/guide.md:42  Cancelling tasks\n" +
        "    cancel the running task\n" +
        "\n" +
        "10   3.50  other\n" +
        "    cancel the running task\n",
    );
  });

  it("emphasises matched words, also inside of a word", () => {
    const snippet = {
      text: "uncancelled tasks, done",
      highlights: [
        [2, 8],
        [12, 17],
      ] as Array<[number, number]>,
    };
    expect(renderHits([hit({ snippet })], { colors: marked, width: 80 })).toContain(
      "   un<cancel>led <tasks>, done\n",
    );
  });

  it("wraps by the columns that are seen, not by the codes of colours", () => {
    const text = "alpha beta gamma delta epsilon zeta eta theta iota kappa";
    const lines = renderHits([hit({ snippet: { text, highlights: [[0, 5]] } })], {
      colors: marked,
      width: 40,
    }).split("\n");
    expect(lines.slice(1)).toEqual([
      "   <alpha> beta gamma delta epsilon zeta",
      "   eta theta iota kappa",
      "",
    ]);
  });

  it("shows where text was left out", () => {
    const snippet = { text: "in the middle", highlights: [], leadingEllipsis: true, trailingEllipsis: true };
    expect(renderHits([hit({ snippet })], { colors: plain, width: 80 })).toContain("   … in the middle …\n");
  });

  it("lets the title give way to the place", () => {
    const hits = [hit({ where: "docs/a-rather-long-name.md:1", title: "A title that does not fit" })];
    expect(renderHits(hits, { colors: plain, width: 50 }).split("\n")[0]).toBe(
      "1  24.81  docs/a-rather-long-name.md:1  A title t…",
    );
    expect(renderHits(hits, { colors: plain, width: 46 }).split("\n").slice(0, 2)).toEqual([
      "1  24.81  docs/a-rather-long-name.md:1",
      "   A title that does not fit",
    ]);
  });

  it("lets no document speak to the terminal", () => {
    const evil = "\u001b]0;owned\u0007x\u001b[2J";
    const snippet = { text: `a ${evil} b\u009b1m`, highlights: [[3, 5]] as Array<[number, number]> };
    const shown = renderHits([hit({ id: evil, title: evil, where: evil, snippet })], {
      colors: plain,
      width: 80,
    });
    expect(shown.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });

  it("takes highlights that overlap or reach beyond the text as far as they go", () => {
    const snippet = {
      text: "abcdef",
      highlights: [
        [0, 3],
        [2, 4],
        [5, 99],
      ] as Array<[number, number]>,
    };
    expect(renderHits([hit({ snippet })], { colors: marked, width: 80 })).toContain("   <abcd>e<f>\n");
  });

  it("says so when there are none, and takes an empty snippet", () => {
    expect(renderHits([], { colors: plain, width: 80 })).toBe("no hits\n");
    expect(renderHits([hit({ snippet: { text: "", highlights: [] } })], { colors: plain, width: 80 })).toBe(
      "1  24.81  guide\n",
    );
  });
});
