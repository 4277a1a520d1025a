/** Builds that are stopped, killed or run out of space: either nothing is there afterwards, or what was there. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  jsonLines,
  MAIN,
  nameOrReason,
  maxsim as runMaxsim,
  startMaxsim,
  writeFiles,
} from "../support/cli.js";
import { tempFolder } from "../support/temp-folder.js";

const cwd = tempFolder();
const maxsim = (...args: string[]) => runMaxsim(args, { cwd });

// Long enough to be stopped in the middle, with one thread; no test waits for its end.
const WORDS = "heron reed river stone owl night hedge wren nest kite wind water fish cloud field barn".split(
  " ",
);
const MANY = Array.from({ length: 1000 }, (_, i) => ({
  id: `many-${i}`,
  text: Array.from({ length: 80 }, (__, j) => WORDS[(i * 7 + j * (1 + (i % 13))) % WORDS.length]).join(" "),
  // Bytes that cost no encoding.
  filler: "x".repeat(2000),
}));
const BUILD = ["index", "many.jsonl", "--threads", "1"];

/** Passages of a build that comes to its end. */
const FEW = 150;

writeFiles(cwd, {
  "many.jsonl": jsonLines(MANY),
  "few.jsonl": jsonLines(MANY.slice(0, FEW)),
  "small.md": "A heron stands in the reeds.\n",
  "other.md": "An owl at night.\n",
});

/** Paths below a folder, sorted; what SQLite keeps beside an open database and locks of readers left out. */
function content(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => !/-(wal|shm)$|^snapshots\b/.test(name))
    .sort();
}

beforeAll(async () => {
  expect(await maxsim("index", "few.jsonl", "--index", "whole")).toMatchObject({ status: 0 });
});

function journalBytes(index: string): number {
  return statSync(join(cwd, index, "encode.journal"), { throwIfNoEntry: false })?.size ?? 0;
}

/** Segment and codec files, whose names are made from their content. */
function binaryFiles(index: string): string[] {
  return content(resolve(cwd, index)).filter((name) => /\.(segment|codec)$/.test(name));
}

describe.skipIf(process.platform === "win32")("Ctrl-C", () => {
  it("while reading leaves no index and no folder", async () => {
    const { child, result, seen } = startMaxsim([...BUILD, "--index", "new/index"], { cwd });
    await seen(/^read /m);
    child.kill("SIGTERM");
    const { status, stdout, stderr } = await result;
    expect({ status, stdout }).toEqual({ status: 143, stdout: "" });
    expect(stderr).toMatch(/\nerror: interrupted: .*aborted\nhint: Nothing was changed; .* begins anew\.\n$/);
    expect(existsSync(join(cwd, "new"))).toBe(false);
    expect((await maxsim("info", "--index", "new/index")).stderr).toContain("there is no index");
  });

  it("while encoding keeps what was encoded, and the same command goes on with it", async () => {
    const few = ["index", "few.jsonl", "--threads", "1", "--index", "kept/index"];
    const { child, result } = startMaxsim(few, { cwd });
    await until(() => journalBytes("kept/index") > 0);
    child.kill("SIGINT");
    const { status, stdout, stderr } = await result;
    expect({ status, stdout }).toEqual({ status: 130, stdout: "" });
    expect(stderr).toMatch(
      /\nerror: interrupted: .*aborted\nhint: Nothing was changed\. .* goes on where .*\n$/,
    );
    const search = await maxsim("search", "heron", "--index", "kept/index");
    expect(search).toMatchObject({ status: 1, stdout: "" });
    expect(search.stderr).toContain("holds no documents");
    const next = await maxsim(...few);
    expect(next).toMatchObject({ status: 0 });
    const [, resumed = "", of] =
      /^ +resumed +(\d+) of (\d+) passages were encoded before$/m.exec(next.stdout) ?? [];
    expect(of).toBe(String(FEW));
    expect(Number(resumed)).toBeGreaterThan(0);
    expect(Number(resumed)).toBeLessThan(FEW);
    expect(journalBytes("kept/index")).toBe(0);
    expect(binaryFiles("kept/index")).toEqual(binaryFiles("whole"));
  });

  it("in a later build leaves the index as it was, and the next build works", async () => {
    expect(await maxsim("index", "small.md", "--index", "later")).toMatchObject({ status: 0 });
    const before = content(join(cwd, "later"));
    const answer = await maxsim("search", "bird", "--index", "later", "--json");
    const { child, result, seen } = startMaxsim([...BUILD, "--index", "later", "--json"], {
      cwd,
    });
    // With --json nothing is said on the way: the journal tells that passages are encoded.
    await until(() => journalBytes("later") > 0);
    child.kill("SIGINT");
    const { status, stdout, stderr } = await result;
    expect({ status, stdout }).toEqual({ status: 130, stdout: "" });
    expect(JSON.parse(stderr).error).toMatchObject({
      code: "ABORTED",
      hint: expect.stringContaining("goes on where it stopped"),
    });
    expect(content(join(cwd, "later"))).toEqual(["encode.journal", ...before].sort());
    const after = await maxsim("search", "bird", "--index", "later", "--json");
    expect(JSON.parse(after.stdout).hits).toEqual(JSON.parse(answer.stdout).hits);
    const next = await maxsim("index", "other.md", "--index", "later", "--json");
    expect(JSON.parse(next.stdout)).toMatchObject({ generation: 2, documents: 1, replaced: 0 });
    await seen(/ABORTED/);
  });

  it("while queries are answered writes no run", async () => {
    writeFiles(cwd, { "queries.tsv": MANY.map(({ text }, i) => `${i}\t${text}\n`).join("") });
    expect(await maxsim("index", "small.md", "--index", "asked")).toMatchObject({ status: 0 });
    const args = ["search", "--queries", "queries.tsv", "--run", "never.trec", "--index", "asked"];
    const { child, result, seen } = startMaxsim(args, { cwd });
    await seen(/^search /m);
    child.kill("SIGINT");
    expect(await result).toMatchObject({ status: 130, stdout: "" });
    expect(existsSync(join(cwd, "never.trec"))).toBe(false);
  });
});

describe("a process that is killed", () => {
  it("in a first build leaves an index without documents, which the next build fills", async () => {
    const { child, result, seen } = startMaxsim([...BUILD, "--index", "killed"], { cwd });
    await seen(/^(sample|encode) /m);
    child.kill("SIGKILL");
    expect(await result).toMatchObject({ status: null, signal: "SIGKILL", stdout: "" });
    const search = await maxsim("search", "heron", "--index", "killed");
    expect(search).toMatchObject({ status: 1, stdout: "" });
    expect(search.stderr).toMatch(
      /^error: the index .*killed holds no documents\nhint: Fill it with: maxsim index/,
    );
    const again = await maxsim("index", "small.md", "--index", "killed", "--json");
    expect(JSON.parse(again.stdout)).toMatchObject({ generation: 1, documents: 1 });
    expect(content(join(cwd, "killed")).filter((name) => /\.tmp$|build|journal/.test(name))).toEqual([]);
    expect(await maxsim("search", "heron", "--index", "killed")).toMatchObject({ status: 0 });
  });

  it("leaves what was encoded to the same command, which makes the same files", async () => {
    const few = ["index", "few.jsonl", "--threads", "1", "--index", "half", "--json"];
    const { child, result } = startMaxsim(few, { cwd });
    await until(() => journalBytes("half") > 0);
    child.kill("SIGKILL");
    expect(await result).toMatchObject({ signal: "SIGKILL", stdout: "" });
    const report = JSON.parse((await maxsim(...few)).stdout);
    expect(report).toMatchObject({ generation: 1, documents: FEW, passages: FEW });
    expect(report.resumed).toBeGreaterThan(0);
    expect(report.resumed).toBeLessThan(FEW);
    expect(binaryFiles("half")).toEqual(binaryFiles("whole"));
  });
});

/** Why there can be no file system of 1 MiB in `folder`, after mounting one. */
function mountSmallDisk(folder: string): string | undefined {
  if (process.platform !== "linux") return "tmpfs needs Linux";
  mkdirSync(folder, { recursive: true });
  const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], {
    encoding: "utf8",
  });
  return status === 0 ? undefined : `tmpfs cannot be mounted here: ${stderr?.trim()}`;
}

function unmount(folder: string): void {
  const { status, stderr } = spawnSync("umount", [folder], { encoding: "utf8" });
  if (status !== 0) throw new Error(`umount ${folder}: ${stderr}`);
}

describe("a full disk", () => {
  const disk = join(cwd, "disk");
  const reason = mountSmallDisk(disk);
  // Only while its test runs, which may be left out.
  if (reason === undefined) unmount(disk);

  it.skipIf(reason)(nameOrReason("stops a build and leaves what was there", reason), async () => {
    expect(mountSmallDisk(disk)).toBeUndefined();
    try {
      const index = join(disk, "index");
      const first = await maxsim("index", "many.jsonl", "--index", index);
      expect(first).toMatchObject({ status: 1, stdout: "" });
      expect(first.stderr).toMatch(/error: no space left to .*\nhint: Free some space/);
      expect(readdirSync(disk)).toEqual([]);
      expect(await maxsim("index", "small.md", "--index", index)).toMatchObject({ status: 0 });
      const before = content(index);
      const later = await maxsim("index", "many.jsonl", "--index", index);
      expect(later).toMatchObject({ status: 1, stdout: "" });
      expect(later.stderr).toMatch(/error: no space left to .*\nhint: Free some space/);
      expect(content(index)).toEqual(before);
      const { stdout } = await maxsim("search", "bird", "--index", index, "--json");
      expect(JSON.parse(stdout)).toMatchObject({ generation: 1, hits: [{ id: "small.md" }] });
      expect(await maxsim("index", "other.md", "--index", index)).toMatchObject({ status: 0 });
    } finally {
      unmount(disk);
    }
  });

  it.skipIf(reason)(
    nameOrReason("while encoding keeps what was encoded, and more space lets the same command go on", reason),
    async () => {
      expect(mountSmallDisk(disk)).toBeUndefined();
      try {
        const index = join(disk, "index");
        const first = await maxsim("index", "few.jsonl", "--index", index);
        expect(first).toMatchObject({ status: 1, stdout: "" });
        expect(first.stderr).toMatch(
          /error: no space left to .*\nhint: Free some space .* goes on where .*\n/,
        );
        expect(readdirSync(index)).toContain("encode.journal");
        expect(spawnSync("mount", ["-o", "remount,size=16m", disk]).status).toBe(0);
        const next = await maxsim("index", "few.jsonl", "--index", index, "--json");
        const report = JSON.parse(next.stdout);
        expect(report).toMatchObject({ generation: 1, passages: FEW });
        expect(report.resumed).toBeGreaterThan(0);
        expect(report.resumed).toBeLessThan(FEW);
        expect(binaryFiles(index)).toEqual(binaryFiles("whole"));
      } finally {
        unmount(disk);
      }
    },
  );

  const noShell = process.platform === "win32" ? "there is no ulimit" : undefined;

  it.skipIf(noShell)(nameOrReason("and a limit on the size of files do the same", noShell), async () => {
    expect(await maxsim("index", "small.md", "--index", "limited")).toMatchObject({ status: 0 });
    const before = content(join(cwd, "limited"));
    const script = `ulimit -f 400; exec "${process.execPath}" "${MAIN}" index many.jsonl --index limited`;
    const { status, stdout, stderr } = await startMaxsim(["-c", script], { cwd, command: ["sh"] }).result;
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/\nerror: .*limited.*\n/);
    expect(content(join(cwd, "limited"))).toEqual(before);
    expect(await maxsim("search", "bird", "--index", "limited")).toMatchObject({ status: 0 });
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}
