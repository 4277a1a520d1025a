import { describe, expect, it } from "vitest";
import { ProgressRenderer } from "../../../src/cli/render/progress.js";
import type { ProgressEvent } from "../../../src/common/progress.js";

function setup(options: { isTTY?: boolean; columns?: number; env?: NodeJS.ProcessEnv } = {}) {
  const { isTTY = true, columns = 100, env = {} } = options;
  const written: string[] = [];
  const clock = { milliseconds: 0 };
  const renderer = new ProgressRenderer({
    stream: { isTTY, columns, write: (text) => written.push(text) },
    env,
    now: () => clock.milliseconds,
    memory: () => 412e6,
  });
  const at = (milliseconds: number, event: Partial<ProgressEvent>): void => {
    clock.milliseconds = milliseconds;
    renderer.update({ stage: "encode", done: 0, total: 1000, unit: "passages", ...event });
  };
  return { written, renderer, at };
}

describe("ProgressRenderer on a terminal", () => {
  it("redraws one line with count, share, rate, time left and memory", () => {
    const { written, at } = setup();
    at(0, {});
    at(2000, { done: 500 });
    expect(written).toEqual([
      "\r\u001b[Kencode  0/1,000 passages  0%  412 MB",
      "\r\u001b[Kencode  500/1,000 passages  50%  250/s  2.0 s left  412 MB",
    ]);
  });

  it("shows tokens a second where they are reported", () => {
    const { written, at } = setup();
    at(0, { tokens: 0 });
    at(1000, { done: 10, tokens: 1500 });
    expect(written.at(-1)).toContain("  10/s  1,500 tokens/s  ");
  });

  it("does not promise a time when the total is unknown", () => {
    const { written, at } = setup();
    at(0, { total: undefined });
    at(1000, { total: undefined, done: 1234 });
    expect(written.at(-1)).toBe("\r\u001b[Kencode  1,234 passages  1,234/s  412 MB");
  });

  it("draws at most ten times a second", () => {
    const { written, at } = setup();
    for (let i = 0; i <= 1000; i++) at(i, { done: i });
    expect(written.length).toBe(11);
  });

  it("measures the rate from where a resumed run starts, and lately", () => {
    const { written, at } = setup();
    at(0, { done: 900 });
    at(1000, { done: 910 });
    expect(written.at(-1)).toContain("  10/s  9.0 s left");
    const slow = setup();
    // A thousand a second for a minute, then one a second for a minute.
    for (let second = 0; second <= 60; second++)
      slow.at(second * 1000, { done: second * 1000, total: 100_000 });
    for (let second = 61; second <= 120; second++)
      slow.at(second * 1000, { done: 60_000 + second - 60, total: 100_000 });
    expect(slow.written.at(-1)).toMatch(/ {2}1\.0\/s {2}/);
  });

  it("starts its rate again with a new stage", () => {
    const { written, at } = setup();
    at(0, {});
    at(1000, { done: 1000 });
    at(2000, { stage: "write", done: 5, total: 10 });
    expect(written.at(-1)).toBe("\r\u001b[Kwrite  5/10 passages  50%  412 MB");
  });

  it("leaves out what matters least on a narrow terminal, and cuts the rest", () => {
    const shownAt = (columns: number): string => {
      const { written, at } = setup({ columns });
      at(0, { tokens: 0, total: 50_000 });
      at(1000, { tokens: 1000, done: 200, total: 50_000 });
      return written.at(-1)!.slice("\r\u001b[K".length);
    };
    expect(shownAt(80)).toBe(
      "encode  200/50,000 passages  0%  200/s  1,000 tokens/s  4 min 09 s left  412 MB",
    );
    expect(shownAt(65)).toBe("encode  200/50,000 passages  0%  200/s  4 min 09 s left  412 MB");
    expect(shownAt(60)).toBe("encode  200/50,000 passages  200/s  4 min 09 s left  412 MB");
    expect(shownAt(52)).toBe("encode  200/50,000  200/s  4 min 09 s left  412 MB");
    expect(shownAt(45)).toBe("encode  200/50,000  200/s  4 min 09 s left");
    expect(shownAt(20)).toBe("encode  200/50,000…");
  });

  it("writes messages above the line and clears it in the end", () => {
    const { written, renderer, at } = setup();
    at(0, {});
    renderer.log("skipped a file");
    at(10, { done: 1 });
    renderer.finish();
    renderer.finish();
    expect(written.slice(1)).toEqual([
      "\r\u001b[K",
      "skipped a file\n",
      expect.stringContaining("encode  1/1,000 passages"),
      "\r\u001b[K",
    ]);
  });
});

describe("ProgressRenderer elsewhere", () => {
  it.each([
    ["a pipe", { isTTY: false }],
    ["a dumb terminal", { isTTY: true, env: { TERM: "dumb" } }],
  ])("writes a plain line on %s every few seconds and for each stage", (_, options) => {
    const { written, renderer, at } = setup(options);
    at(0, {});
    at(1000, { done: 100 });
    at(5000, { done: 500 });
    at(5500, { stage: "write", done: 1, total: 2 });
    renderer.finish();
    expect(written).toEqual([
      "encode  0/1,000 passages  0%  412 MB\n",
      "encode  500/1,000 passages  50%  100/s  5.0 s left  412 MB\n",
      "write  1/2 passages  50%  412 MB\n",
    ]);
  });

  it("works with the clock and memory of this process", () => {
    const written: string[] = [];
    const renderer = new ProgressRenderer({ stream: { write: (text) => written.push(text) } });
    renderer.update({ stage: "read", done: 1, total: undefined, unit: "documents" });
    expect(written).toEqual([expect.stringMatching(/^read {2}1 documents {2}\d+ MB\n$/)]);
  });
});
