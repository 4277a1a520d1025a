import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { countReport, summarize } from "../../../scripts/lib/summary.mjs";

const folder = mkdtempSync(join(tmpdir(), "maxsim-summary-"));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (...statuses: string[]) => ({
  name: "some.test.ts",
  status: statuses.includes("failed") ? "failed" : "passed",
  assertionResults: statuses.map((status, i) => ({ status, fullName: `test ${i}` })),
});

function report(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

const good = report("good.json", { success: true, testResults: [file("passed", "pending"), file("passed")] });

describe("countReport", () => {
  it("counts tests; pending, skipped and todo are skipped", () => {
    const testResults = [file("passed", "failed", "failed"), file("skipped", "pending", "todo", "passed")];
    expect(countReport({ success: false, testResults })).toEqual({
      passed: 2,
      failed: 2,
      skipped: 3,
      failures: ["some.test.ts: test 1", "some.test.ts: test 2"],
    });
  });

  it("counts a file that does not load as one failure", () => {
    const testResults = [file("passed"), { name: "broken.test.ts", status: "failed", assertionResults: [] }];
    expect(countReport({ success: false, testResults })).toEqual({
      passed: 1,
      failed: 1,
      skipped: 0,
      failures: ["broken.test.ts: the file"],
    });
  });

  it("counts a run that failed outside of every file as one failure", () => {
    expect(countReport({ success: false, testResults: [file("passed")] })).toMatchObject({
      passed: 1,
      failed: 1,
    });
  });
});

describe("summarize", () => {
  it("adds the reports up", () => {
    expect(summarize([good, good])).toEqual({
      line: "4 passed, 0 failed, 2 skipped",
      ok: true,
      problems: [],
    });
  });

  it("takes a missing or broken report for a failure", () => {
    expect(summarize([good, join(folder, "none.json")])).toMatchObject({
      line: "2 passed, 1 failed, 1 skipped",
      ok: false,
    });
    expect(summarize([good, report("broken.json", "{")])).toMatchObject({ ok: false });
  });

  it("is not content when nothing ran", () => {
    const none = report("none-ran.json", { success: true, testResults: [file("pending")] });
    expect(summarize([none])).toMatchObject({ line: "0 passed, 0 failed, 1 skipped", ok: false });
    expect(summarize([])).toMatchObject({ ok: false });
  });

  it("names what failed, prints one line and tells the outcome by its status", () => {
    const script = fileURLToPath(new URL("../../../scripts/lib/summary.mjs", import.meta.url));
    const bad = report("bad.json", { success: false, testResults: [file("passed", "failed")] });
    const run = (path: string) => spawnSync(process.execPath, [script, path], { encoding: "utf8" });
    expect(run(good)).toMatchObject({ status: 0, stdout: "2 passed, 0 failed, 1 skipped\n", stderr: "" });
    expect(run(bad)).toMatchObject({
      status: 1,
      stdout: "1 passed, 1 failed, 0 skipped\n",
      stderr: "failed: some.test.ts: test 1\n",
    });
  });
});
