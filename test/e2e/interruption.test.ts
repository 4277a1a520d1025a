/** Builds that are stopped, killed or run out of space: either nothing is there afterwards, or what was there. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
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

writeFiles(cwd, {
  "many.jsonl": jsonLines(MANY),
  "small.md": "A heron stands in the reeds.\n",
  "other.md": "An owl at night.\n",
});

/** Paths below a folder, sorted; what SQLite keeps beside an open database left out. */
function content(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => !/-(wal|shm)$/.test(name))
    .sort();
}

describe.skipIf(process.platform === "win32")("Ctrl-C", () => {
  it.each([
    ["SIGINT", 130, "encoding", /^(sample|encode) /m],
    ["SIGTERM", 143, "reading", /^read /m],
  ] as const)("%s (status %i) while %s leaves no index and no folder", async (signal, expected, _, stage) => {
    const { child, result, seen } = startMaxsim([...BUILD, "--index", "new/index"], { cwd });
    await seen(stage);
    child.kill(signal);
    const { status, stdout, stderr } = await result;
    expect({ status, stdout }).toEqual({ status: expected, stdout: "" });
    expect(stderr).toMatch(/\nerror: interrupted: .*aborted\nhint: Nothing was changed; .*\n$/);
    expect(existsSync(join(cwd, "new"))).toBe(false);
    expect((await maxsim("info", "--index", "new/index")).stderr).toContain("there is no index");
  });

  it("in a later build leaves the index as it was, and the next build works", async () => {
    expect(await maxsim("index", "small.md", "--index", "later")).toMatchObject({ status: 0 });
    const before = content(join(cwd, "later"));
    const answer = await maxsim("search", "bird", "--index", "later", "--json");
    const { child, result, seen } = startMaxsim([...BUILD, "--index", "later", "--json"], {
      cwd,
    });
    // With --json nothing is said on the way: the work file tells that the build is under way.
    await until(() => existsSync(join(cwd, "later", "build.sqlite")));
    child.kill("SIGINT");
    const { status, stdout, stderr } = await result;
    expect({ status, stdout }).toEqual({ status: 130, stdout: "" });
    expect(JSON.parse(stderr).error.code).toBe("ABORTED");
    expect(content(join(cwd, "later"))).toEqual(before);
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
    expect(content(join(cwd, "killed")).filter((name) => /\.tmp$|build/.test(name))).toEqual([]);
    expect(await maxsim("search", "heron", "--index", "killed")).toMatchObject({ status: 0 });
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
