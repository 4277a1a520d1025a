import { describe, expect, it } from "vitest";
import {
  formatBytes,
  formatDuration,
  formatNumber,
  formatRate,
  formatShare,
  formatTime,
} from "../../../src/cli/render/format.js";

describe("formats", () => {
  it.each([
    [0, 0, "0 %"],
    [0, 7, "0 %"],
    [1, 1000, "0.1 %"],
    [1, 3, "33 %"],
    [7, 7, "100 %"],
  ])("share %d of %d", (part, whole, text) => expect(formatShare(part, whole)).toBe(text));

  it("time", () => {
    expect(formatTime(new Date(2026, 2, 9, 4, 5, 6))).toBe("2026-03-09 04:05:06");
    expect(formatTime(new Date(2026, 10, 29, 14, 0, 0))).toBe("2026-11-29 14:00:00");
  });

  it.each([
    [0, "0"],
    [999, "999"],
    [1234567, "1,234,567"],
    [-1234, "-1,234"],
    [1.6, "2"],
    [Number.NaN, "NaN"],
  ])("number %d", (value, text) => expect(formatNumber(value)).toBe(text));

  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [1500, "1.5 kB"],
    [9949, "9.9 kB"],
    [9951, "10 kB"],
    [999_499, "999 kB"],
    [999_500, "1.0 MB"],
    [294_000_000, "294 MB"],
    [1.5e12, "1.5 TB"],
    [5e15, "5000 TB"],
  ])("%d bytes", (value, text) => expect(formatBytes(value)).toBe(text));

  it.each([
    [0.0004, "0.4 ms"],
    [0.012, "12 ms"],
    [0.0996, "0.1 s"],
    [3.44, "3.4 s"],
    [9.96, "10 s"],
    [59.4, "59 s"],
    [59.6, "1 min 00 s"],
    [125, "2 min 05 s"],
    [3599.7, "1 h 00 min"],
    [3780, "1 h 03 min"],
    [86_399, "1 d 00 h"],
    [187_200, "2 d 04 h"],
  ])("%d seconds", (value, text) => expect(formatDuration(value)).toBe(text));

  it.each([
    [0, "0/s"],
    [0.25, "0.25/s"],
    [3.44, "3.4/s"],
    [1234.4, "1,234/s"],
  ])("rate %d", (value, text) => expect(formatRate(value)).toBe(text));
});
