import { parse } from "parse5";
import { describe, expect, it } from "vitest";
import type { SweepPoint, SweepResult } from "../../../src/cli/actions/eval-sweep-points.js";
import { searchOptionsOf, seriesName } from "../../../src/cli/actions/eval-sweep-points.js";
import { linearAxis, timeAxis } from "../../../src/cli/render/chart-axis.js";
import { createColors } from "../../../src/cli/render/color.js";
import { renderSweepChart } from "../../../src/cli/render/sweep-chart.js";
import { renderSweepPage, renderSweepTable } from "../../../src/cli/render/sweep-table.js";

function point(label: string, p50: number, ndcg: number, best: boolean): SweepPoint {
  const latency = { queries: 7, p50, p95: 2 * p50, encodeP50: 1, encodeP95: 2 };
  const metrics = new Map([
    ["nDCG@10", ndcg],
    ["Exact@10", 1],
  ]);
  return { series: "late: nprobe", label, parameters: {}, metrics, latency, best };
}

const RESULT: SweepResult = {
  collection: "a<b>&\u0001",
  split: "test",
  documents: 1200,
  queries: 30,
  k: 10,
  metric: "nDCG@10",
  points: [
    point("nprobe=1", 1.234, 0.5, true),
    point("nprobe=2", 2, 0.6, true),
    point("nprobe=4", 12.3, 0.55, false),
  ],
};

describe("a chart", () => {
  const svg = renderSweepChart(RESULT);

  it("is well-formed, and needs nothing from elsewhere", () => {
    const problems: string[] = [];
    parse(svg, { onParseError: ({ code }) => problems.push(code) });
    expect(problems.filter((code) => code !== "missing-doctype")).toEqual([]);
    expect(svg).toContain("a&lt;b&gt;&amp;\ufffd (test)");
    expect(svg.match(/https?:[^"]*/g)).toEqual(["http://www.w3.org/2000/svg"]);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("has a mark a point, filled for the best, and names those", () => {
    expect(svg.match(/<circle [^>]*fill="#0072b2"[^>]*><title>/g)).toHaveLength(2);
    expect(svg.match(/<circle [^>]*fill="#ffffff"[^>]*><title>/g)).toHaveLength(1);
    expect(svg).toContain(
      "<title>nprobe=4\nnDCG@10 0.5500, Exact@10 1.0000\np50 12.3 ms, p95 24.6 ms</title>",
    );
    expect(svg).toMatch(/<text [^>]*>nprobe=1<\/text>/);
    expect(svg).not.toMatch(/<text [^>]*>nprobe=4<\/text>/);
  });

  it("is drawn of a single point, and of times that are 0", () => {
    for (const p50 of [1, 0]) {
      const one = renderSweepChart({ ...RESULT, points: [point("nprobe=1", p50, 0, true)] });
      expect(one).not.toMatch(/NaN|undefined|Infinity/);
    }
  });
});

describe("axes", () => {
  it("mark round values within their ends", () => {
    const axis = linearAxis([0.31, 0.79], 400, 0);
    expect(axis.ticks.map((tick) => tick.toFixed(axis.digits))).toEqual([
      "0.3",
      "0.4",
      "0.5",
      "0.6",
      "0.7",
      "0.8",
    ]);
    expect(axis.place(0.31)).toBeGreaterThan(axis.place(0.79));
  });

  it("do not stretch what is nearly nothing", () => {
    const axis = linearAxis([0.5, 0.501], 0, 100, 0.02);
    expect(axis.place(0.501) - axis.place(0.5)).toBeLessThan(6);
  });

  it("are logarithmic where times span a large factor", () => {
    const wide = timeAxis([1, 100], 0, 100);
    expect(wide.place(10)).toBeCloseTo(50, 9);
    expect(wide.ticks).toEqual([1, 2, 5, 10, 20, 50, 100]);
    const narrow = timeAxis([1, 2], 0, 100);
    expect(narrow.place(1.5)).toBeCloseTo(50, 9);
  });
});

describe("tables", () => {
  it("mark the best points", () => {
    const table = renderSweepTable(RESULT, { colors: createColors({}, {}) });
    expect(table).toContain("a<b>& (test): 30 queries, 1,200 documents\n");
    expect(table).toMatch(/^\* {2}nprobe=1 +0\.5000 +1\.0000 +1\.23 +2\.47$/m);
    expect(table).toMatch(/^ {3}nprobe=4 +0\.5500 +1\.0000 +12\.3 +24\.6$/m);
    const page = renderSweepPage(RESULT);
    expect(page).toContain("![nDCG@10 against time](sweep.svg)");
    expect(page).toContain("| \\* | nprobe=2 | 0.6000 | 1.0000 | 2.00 | 4.00 |\n");
    expect(page).toContain(
      "|  | parameters | nDCG@10 | Exact@10 | p50 ms | p95 ms |\n| --- | --- | ---: | ---: | ---: | ---: |\n",
    );
  });
});

describe("points", () => {
  it("are named by what their grid varies", () => {
    expect(seriesName([{ nprobe: 1, refine: 2 }])).toBe("late: nprobe, refine");
    expect(seriesName([{ mode: "lexical" }])).toBe("lexical");
    expect(seriesName([{ mode: "late" }, { mode: "hybrid" }])).toBe("modes: mode");
  });

  it("take the pruned plan where they set one of its parameters", () => {
    expect(searchOptionsOf({ nprobe: 2 })).toEqual({ exhaustiveTokens: 0, nprobe: 2 });
    expect(searchOptionsOf({ nprobe: 2, exhaustiveTokens: 5 })).toEqual({ exhaustiveTokens: 5, nprobe: 2 });
    expect(searchOptionsOf({ effort: "exact", refine: 9 })).toEqual({ effort: "exact", refine: 9 });
    expect(searchOptionsOf({ nbits: 2, effort: "fast" })).toEqual({ effort: "fast" });
  });

  it("set the fusion of hybrid searches only", () => {
    expect(searchOptionsOf({ mode: "hybrid", method: "rrf", alpha: 0.5, depth: 50 })).toEqual({
      mode: "hybrid",
      fusion: { method: "rrf", alpha: 0.5, depth: 50 },
    });
    expect(() => searchOptionsOf({ alpha: 0.5 })).toThrow(/the grid sets alpha without mode=hybrid/);
  });
});
