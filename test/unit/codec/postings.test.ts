import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildPostings, readPostings } from "../../../src/codec/postings.js";

function lists(codes: number[], lengths: number[], centroids: number): number[][] {
  const built = buildPostings(Uint16Array.from(codes), Uint32Array.from(lengths), centroids);
  const out = new Uint32Array(lengths.length);
  return Array.from({ length: centroids }, (_, k) => {
    const count = readPostings(
      built.bytes,
      built.offsets[k]!,
      built.offsets[k + 1]!,
      lengths.length,
      out,
      "test",
    );
    return [...out.subarray(0, count)];
  });
}

describe("posting lists", () => {
  it("hold the sorted unique passages of each code", () => {
    expect(lists([2, 0, 2, 1, 0, 0], [3, 0, 1, 2], 4)).toEqual([[0, 3], [2], [0], []]);
  });

  it("survive the round trip for any codes", () => {
    const corpus = fc.array(fc.array(fc.nat(19), { maxLength: 8 }), { maxLength: 300 });
    fc.assert(
      fc.property(corpus, (passages) => {
        const expected = Array.from({ length: 20 }, (_, k) =>
          passages.flatMap((codes, p) => (codes.includes(k) ? [p] : [])),
        );
        const lengths = passages.map((codes) => codes.length);
        expect(lists(passages.flat(), lengths, 20)).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  it("stores gaps of every varint length", () => {
    const gaps = [0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152];
    const last = gaps.reduce((sum, gap) => sum + gap, 0);
    const lengths = new Uint32Array(last + 1);
    const expected: number[] = [];
    let at = 0;
    for (const gap of gaps) {
      at += gap;
      lengths[at] = 1;
      expected.push(at);
    }
    const built = buildPostings(new Uint16Array(gaps.length), lengths, 1);
    const out = new Uint32Array(gaps.length);
    expect(readPostings(built.bytes, 0, built.bytes.length, last + 1, out, "test")).toBe(gaps.length);
    expect([...out]).toEqual(expected);
  });

  it.each([
    ["a value beyond the passages", [5], 5],
    ["a repeated value", [3, 0], 9],
    ["a list that ends inside a number", [0x83], 9],
    ["a number of more than five bytes", [0x80, 0x80, 0x80, 0x80, 0x80, 0x01], 9],
    ["more values than passages", [0, 1, 1], 2],
  ])("refuses %s", (_, bytes, passages) => {
    const out = new Uint32Array(passages);
    expect(() =>
      readPostings(Uint8Array.from(bytes), 0, bytes.length, passages, out, "x.segment"),
    ).toThrowError(
      expect.objectContaining({ code: "CORRUPT", message: expect.stringContaining("x.segment") }),
    );
  });
});
