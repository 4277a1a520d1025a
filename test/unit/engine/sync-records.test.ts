/** Records of a file before and after a change. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contentKey, matchRecords } from "../../../src/engine/sync-records.js";

const documents = (...records: Array<[id: string, content: string]>) =>
  records.map(([id, content], i) => ({ id, content, documentNo: i + 10 }));
const records = (...list: Array<[id: string, content: string]>) =>
  list.map(([id, content]) => ({ id, content }));

describe("records", () => {
  it("that kept id and content are the same, whatever the order", () => {
    expect(matchRecords(documents(["a", "1"], ["b", "1"]), records(["b", "1"], ["a", "1"]))).toEqual([
      11, 10,
    ]);
  });

  it("that are called by their line are found again below a new line", () => {
    const before = documents(["f:1", "one"], ["f:2", "two"], ["f:3", "two"]);
    const now = records(["f:1", "new"], ["f:2", "one"], ["f:3", "two"], ["f:4", "two"]);
    expect(matchRecords(before, now)).toEqual([undefined, 10, 12, 11]);
  });

  it("of the same id are the same when nothing else claims them", () => {
    expect(matchRecords(documents(["a", "1"], ["b", "2"]), records(["a", "3"], ["c", "4"]))).toEqual([
      10,
      undefined,
    ]);
    // The content of a went to x, so there is nothing left for a.
    expect(matchRecords(documents(["a", "1"]), records(["a", "3"], ["x", "1"]))).toEqual([undefined, 10]);
  });

  it("are matched once each, and content is never given up for a name", () => {
    const list = fc.uniqueArray(fc.tuple(fc.constantFrom(..."abcdef"), fc.constantFrom("1", "2", "3")), {
      selector: ([id]) => id,
    });
    fc.assert(
      fc.property(list, list, (old, fresh) => {
        const before = documents(...old);
        const now = records(...fresh);
        const matched = matchRecords(before, now);
        const numbers = matched.filter((documentNo) => documentNo !== undefined);
        expect(new Set(numbers).size).toBe(numbers.length);
        const contentOf = new Map(before.map(({ documentNo, content }) => [documentNo, content]));
        const kept = now.filter(
          ({ content }, i) => matched[i] !== undefined && contentOf.get(matched[i]) === content,
        );
        const count = (list: ReadonlyArray<{ content: string }>, content: string) =>
          list.filter((one) => one.content === content).length;
        const possible = ["1", "2", "3"].map((content) =>
          Math.min(count(before, content), count(now, content)),
        );
        expect(kept).toHaveLength(possible.reduce((sum, n) => sum + n, 0));
      }),
    );
  });

  it("have keys that tell title and text apart", () => {
    const keys = [contentKey("ab", null), contentKey("b", "a"), contentKey("ab", ""), contentKey("", "ab")];
    expect(new Set(keys).size).toBe(4);
    expect(contentKey("b", "a")).toBe(keys[1]);
  });
});
