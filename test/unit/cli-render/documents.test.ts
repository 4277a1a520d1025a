import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { renderCompaction } from "../../../src/cli/actions/compact.js";
import { renderHistory } from "../../../src/cli/actions/history.js";
import { renderInfo, renderSegments } from "../../../src/cli/actions/info.js";
import { createColors } from "../../../src/cli/render/color.js";
import { renderDocument, renderDocuments } from "../../../src/cli/render/documents.js";
import type { CompactReport } from "../../../src/engine/compact.js";
import type { HistoryEntry } from "../../../src/engine/options.js";

const plain = createColors({}, {});
const coloured = createColors({}, { FORCE_COLOR: "1" });

describe("renderDocuments", () => {
  const tea = { id: "tea", title: "Brewing tea", passages: 1200, tokens: 34, source: "notes.jsonl:1" };

  it("is a table with a head and aligned numbers", () => {
    expect(renderDocuments([tea, { id: "a-longer-id", passages: 1, tokens: 7 }], { colors: plain })).toBe(
      "id           title        passages  tokens  source\n" +
        "tea          Brewing tea     1,200      34  notes.jsonl:1\n" +
        "a-longer-id                      1       7\n",
    );
  });

  it("leaves out columns that nobody fills", () => {
    expect(renderDocuments([{ id: "b", passages: 1, tokens: 2 }], { colors: plain })).toBe(
      "id  passages  tokens\nb          1       2\n",
    );
    expect(renderDocuments([], { colors: plain })).toBe("");
  });

  it("fits the terminal and lets no id steer it", () => {
    const text = renderDocuments([{ ...tea, id: `\u001b[2Jx\n${"y".repeat(80)}` }], {
      colors: coloured,
      width: 60,
    });
    const [head, row] = text.split("\n");
    expect(head).toBe(coloured.dim(stripVTControlCharacters(head!)));
    expect(row).toMatch(/^x y+…/);
    expect(row!.length).toBeLessThanOrEqual(60);
  });
});

describe("renderDocument", () => {
  const passage = (index: number, lineStart: number, lineEnd: number) => ({
    ...{
      index,
      lineStart,
      lineEnd,
      positionUnit: "line",
      tokens: 9,
      context: index === 0 ? "" : "Tea > Green",
    },
    text: `passage ${index}\ttext\u001b[31m`,
  });
  const document = {
    id: "tea",
    title: "Brewing tea",
    url: "https://example.org/tea",
    metadata: { topic: "kitchen", tags: ["x"] },
    text: "Green leaves.\u0007\nHot water.",
    tokens: 1234,
    passages: [passage(0, 1, 1), passage(1, 2, 5)],
  };

  it("shows what is known, and the text", () => {
    expect(renderDocument(document, { colors: plain, passages: false })).toBe(
      [
        "id             tea",
        "title          Brewing tea",
        "url            https://example.org/tea",
        'metadata       topic: "kitchen"',
        '               tags: ["x"]',
        "passages       2: lines 1, 2-5",
        "token vectors  1,234",
        "",
        "Green leaves.",
        "Hot water.",
        "",
      ].join("\n"),
    );
  });

  it("shows the passages one by one", () => {
    const text = renderDocument(document, { colors: plain, passages: true });
    expect(text.split("\n").slice(7)).toEqual([
      "",
      "passage 0, lines 1, 9 token vectors",
      "passage 0  text",
      "",
      'passage 1, lines 2-5, 9 token vectors, after "Tea > Green"',
      "passage 1  text",
      "",
    ]);
  });

  it("names some of many passages, and none of none", () => {
    const many = Array.from({ length: 9 }, (_, i) => passage(i, i + 1, i + 1));
    expect(renderDocument({ ...document, passages: many }, { colors: plain, passages: false })).toContain(
      "passages       9: lines 1, 2, 3, 4, 5, 6, …\n",
    );
    const none = renderDocument({ ...document, passages: [] }, { colors: plain, passages: false });
    expect(none).toContain("passages       0\n");
  });
});

it("the history has a line a generation, with the times that are known", () => {
  const entry: HistoryEntry = {
    generation: 1234,
    operation: "sync",
    added: 10,
    removed: 2,
    documents: 99,
    passages: 100,
    tokens: 1000,
    segments: 3,
    time: new Date(2026, 2, 9, 4, 5, 6),
  };
  const { time: _time, ...timeless } = { ...entry, generation: 7, operation: "create" as const };
  expect(renderHistory([entry, timeless], { colors: plain })).toBe(
    [
      "generation  time                 operation  added  removed  documents  passages  segments",
      "     1,234  2026-03-09 04:05:06  sync          10        2         99       100         3",
      "         7  -                    create        10        2         99       100         3",
      "",
    ].join("\n"),
  );
});

describe("info", () => {
  it("lists segments with the share that is deleted", () => {
    const segment = { segmentNo: 3, file: "segments/a.segment", bytes: 4200, passages: 1000, tokens: 9000 };
    const segments = [
      { ...segment, livePassages: 996 },
      { ...segment, segmentNo: 12, livePassages: 0 },
    ];
    expect(renderSegments(segments, { colors: plain })).toBe(
      [
        "segment  live  passages   dead  token vectors    size  file",
        "      3   996     1,000  0.4 %          9,000  4.2 kB  segments/a.segment",
        "     12     0     1,000  100 %          9,000  4.2 kB  segments/a.segment",
        "",
      ].join("\n"),
    );
  });

  it("tells of an add that did not reach its end", () => {
    const info = {
      ...{
        folder: "/x",
        generation: 1,
        documents: 1,
        passages: 1,
        tokens: 0,
        dim: 8,
        nbits: 4,
        lexical: "english" as const,
        seed: 1,
      },
      ...{ centroids: 0, model: null, segments: 0, bytes: { catalog: 1, codec: 0, segments: 0 } },
    };
    expect(renderInfo(info, false)).not.toContain("unfinished");
    expect(renderInfo(info, true)).toMatch(/^unfinished +an add /m);
  });
});

describe("renderCompaction", () => {
  const report: CompactReport = {
    generation: 9,
    segments: { before: 7, after: 2 },
    bytes: { before: 5_000_000, after: 4_000_000 },
    droppedPassages: 1,
    removedFiles: 3,
  };
  const about = { folder: "/index", before: 4, seconds: 1.5 };

  it("says what changed", () => {
    expect(renderCompaction(report, about)).toBe(
      [
        "compacted in 1.5 s",
        "  segments  7 -> 2",
        "  vectors   5.0 MB -> 4.0 MB",
        "  left out  1 passage of deleted documents",
        "  removed   3 files",
        "  index     /index (generation 9)",
        "",
      ].join("\n"),
    );
  });

  it("says so when there was nothing to do", () => {
    const same = { before: 2, after: 2 };
    const nothing = { generation: 4, segments: same, bytes: same, droppedPassages: 0, removedFiles: 0 };
    expect(renderCompaction(nothing, about)).toBe(
      "nothing to compact\n  segments  2\n  vectors   2 B\n  index     /index (generation 4)\n",
    );
  });

  it("shows what a new codec costs", () => {
    const quality = { cosine: 0.99871, sameTop10: 0.984, passages: 64 };
    const recluster = { centroids: { before: 1000, after: 2000 }, quality };
    expect(renderCompaction({ ...report, recluster }, about)).toMatch(
      /centroids {2}1,000 -> 2,000\n {2}precision {2}mean cosine .* 0\.9987, 98\.4 % .* for 64 passages\n/,
    );
  });
});
