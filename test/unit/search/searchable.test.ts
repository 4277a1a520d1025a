import { describe, expect, it } from "vitest";
import { inGeneration } from "../../../src/indexing/segment.js";
import { searchableDocuments } from "../../../src/search/searchable.js";
import { memorySnapshot } from "../../support/built-segments.js";

describe("searchable documents", () => {
  it("are those with a live passage that has tokens", () => {
    const { snapshot } = memorySnapshot({ passages: 30, passagesPerDocument: 3 });
    expect(searchableDocuments(snapshot)).toBe(10);
    const deleted = snapshot.segments.map((segment) => inGeneration(segment, snapshot.codec, [[3, 3]]));
    expect(searchableDocuments({ ...snapshot, segments: deleted })).toBe(9);
    const [first, ...others] = snapshot.segments;
    // The first document keeps a passage with tokens, the second one does not.
    const offsets = first!.offsets.slice();
    for (const p of [0, 3, 4, 5]) offsets.fill(offsets[p]!, p + 1, p + 2);
    for (let p = 1; p < offsets.length; p++) offsets[p] = Math.max(offsets[p]!, offsets[p - 1]!);
    expect(searchableDocuments({ ...snapshot, segments: [{ ...first!, offsets }, ...others] })).toBe(9);
  });
});
