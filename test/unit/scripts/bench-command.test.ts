import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { optionsHelp, readOptions } from "../../../scripts/bench/lib/options.mjs";
import { parseStatus } from "../../../scripts/bench/lib/process-memory.mjs";
import { fixed, markdownTable, Report, withSpread } from "../../../scripts/bench/lib/report.mjs";
import { takeTurns } from "../../../scripts/bench/lib/rounds.mjs";
import { evenly, latencies, spread } from "../../../scripts/bench/lib/statistics.mjs";
import { SUITES } from "../../../scripts/bench/lib/suites.mjs";

const bench = fileURLToPath(new URL("../../../scripts/bench/", import.meta.url));
const run = (...args: string[]) =>
  spawnSync(process.execPath, [join(bench, "main.mjs"), ...args], { encoding: "utf8" });

describe("the benchmark command", () => {
  it("lists every suite there is", () => {
    const files = readdirSync(join(bench, "suites")).map((name) => name.replace(/\.mjs$/, ""));
    const listed = SUITES.map(({ name }) => name);
    expect(listed).toEqual(expect.arrayContaining(files));
    const { status, stdout } = run("--help");
    expect(status).toBe(0);
    for (const name of listed) expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
  });

  it("ends with status 2 and the suites when the name is wrong or missing", () => {
    for (const args of [["nothing"], []]) {
      const { status, stdout, stderr } = run(...args);
      expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
      expect(stderr).toMatch(/no suite "nothing"|name a suite/);
      expect(stderr).toContain("query");
    }
  });
});

describe("options", () => {
  const specs = {
    passages: { type: "integer", default: 7, describe: "how many" },
    sizes: { type: "integers", choices: [1, 2, 4], describe: "which" },
    names: { type: "strings", default: ["a"], choices: ["a", "b"], describe: "whose" },
    quick: { type: "flag", default: false, describe: "less" },
  } as const;

  it("are read by type, with defaults", () => {
    expect(readOptions(specs, [])).toEqual({ passages: 7, sizes: undefined, names: ["a"], quick: false });
    expect(readOptions(specs, ["--passages", "12", "--sizes=4,1", "--names", "b,a", "--quick"])).toEqual({
      passages: 12,
      sizes: [4, 1],
      names: ["b", "a"],
      quick: true,
    });
  });

  it("are refused as wrong usage that names them", () => {
    const refusals: Array<[string[], RegExp]> = [
      [["--passages", "0"], /--passages takes whole numbers from 1 on, found "0"/],
      [["--passages", "1e3"], /--passages/],
      [["--sizes", "1,3"], /--sizes takes 1, 2, 4; found 3/],
      [["--names", "c"], /--names takes a, b; found "c"/],
      [["--other"], /--other/],
      [["stray"], /stray/],
    ];
    for (const [argv, message] of refusals) {
      expect(() => readOptions(specs, argv)).toThrow(
        expect.objectContaining({ exitStatus: 2, message: expect.stringMatching(message) }),
      );
    }
  });

  it("are listed with choices and defaults", () => {
    expect(optionsHelp(specs).split("\n")).toEqual([
      "  --passages N      how many (default 7)",
      "  --sizes N,...     which: 1, 2, 4",
      "  --names NAME,...  whose: a, b (default a)",
      "  --quick           less",
    ]);
  });
});

describe("statistics", () => {
  it("spread percentiles of rounds over the rounds", () => {
    const round = (factor: number) => Array.from({ length: 100 }, (_, i) => factor * i);
    const found = latencies([round(1), round(3), round(2)]);
    expect(found.p50).toEqual({ median: 100, p10: 50, p90: 150 });
    expect(found.p99.median).toBe(198);
    expect([found.calls, found.rounds]).toEqual([100, 3]);
    expect(spread([5])).toEqual({ median: 5, p10: 5, p90: 5 });
  });

  it("choose evenly", () => {
    expect(evenly(10, 4)).toEqual([0, 2, 5, 7]);
    expect(evenly(3, 9)).toEqual([0, 1, 2]);
  });

  it("are taken in turns, the first of a round changing", async () => {
    const calls: string[] = [];
    const contestant = (name: string) => ({
      name,
      call: async (query: number) => {
        calls.push(`${name}${query}`);
        return name === "a" ? { milliseconds: 1, processor: query } : { milliseconds: 2 };
      },
    });
    const times = await takeTurns([contestant("a"), contestant("b")], { queries: 2, rounds: 2 });
    expect(calls.join(" ")).toBe("a0 a1 b0 b1 a0 a1 b0 b1 b0 b1 a0 a1");
    expect(times.map(({ p50 }) => p50.median)).toEqual([1, 2]);
    expect(times.map(({ processor }) => processor?.median)).toEqual([0.5, undefined]);
  });
});

describe("reports", () => {
  const columns = [
    { key: "name", title: "name", left: true },
    { key: "ms", title: "ms", format: withSpread(1) },
    { key: "recall", title: "recall", format: fixed(2) },
  ];
  const rows = [
    { name: "a", ms: { median: 1.26, p10: 1, p90: 2 }, recall: 0.5 },
    { name: "bcdef", recall: undefined },
  ];

  it("are Markdown with numbers to the right and gaps marked", () => {
    expect(markdownTable(columns, rows).split("\n")).toEqual([
      "| name  |            ms | recall |",
      "| ----- | ------------: | -----: |",
      "| a     | 1.3 (1.0-2.0) |   0.50 |",
      "| bcdef |             - |      - |",
    ]);
  });

  it("keep raw numbers for JSON", () => {
    let text = "";
    const report = new Report("query", { machine: { cores: 2 } }, (part: string) => {
      text += part;
    });
    report.note("said");
    report.table("titled", columns, rows);
    expect(text).toMatch(/said\n\ntitled\n\n\| name/);
    expect(report.content).toMatchObject({
      suite: "query",
      machine: { cores: 2 },
      notes: ["said"],
      tables: [{ title: "titled", rows }],
    });
  });
});

describe("memory of a process", () => {
  it("is read from /proc/PID/status, in bytes", () => {
    const status =
      "Name:\tnode\nVmHWM:\t  300 kB\nVmRSS:\t  200 kB\nRssAnon:\t  120 kB\nRssFile:\t   70 kB\nRssShmem:\t   10 kB\n";
    expect(parseStatus(status)).toEqual({
      resident: 204800,
      anonymous: 122880,
      file: 71680,
      shared: 10240,
      peak: 307200,
    });
    expect(parseStatus("Name:\tnode\nState:\tZ (zombie)\n")).toBeUndefined();
  });
});
