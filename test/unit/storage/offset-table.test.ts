import fc from "fast-check";
import { expect, it } from "vitest";
import { OffsetTable } from "../../../src/storage/offset-table.js";

it("finds every offset of a tag, whatever its size", () => {
  // Few tags, so that they repeat and lie side by side.
  const tag = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0xffffff00, max: 0xffffffff }));
  fc.assert(
    fc.property(fc.array(tag, { maxLength: 3000 }), (tags) => {
      const table = new OffsetTable();
      const expected = new Map<number, number[]>();
      for (const [i, number] of tags.entries()) {
        const offset = 2 ** 40 + i;
        table.add(number, offset);
        expected.set(number, [...(expected.get(number) ?? []), offset]);
      }
      expect(table.size).toBe(tags.length);
      for (const [number, offsets] of expected) expect(table.find(number).sort()).toEqual(offsets);
      expect(table.find(1000)).toEqual([]);
    }),
    { numRuns: 50 },
  );
});
