/** `maxsim backup` and `maxsim restore`. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { maxsim as runMaxsim, writeFiles } from "../support/cli.js";
import { tempFolder } from "../support/temp-folder.js";

const cwd = tempFolder();
const maxsim = (...args: string[]) => runMaxsim(args, { cwd });

const hits = async (index: string): Promise<unknown> => {
  const { stdout } = await maxsim("search", "heron", "--index", index, "--json");
  return JSON.parse(stdout).hits;
};

const documents = async (index: string): Promise<unknown> => {
  const { stdout } = await maxsim("info", "--index", index, "--json");
  return JSON.parse(stdout).documents;
};

beforeAll(async () => {
  writeFiles(cwd, {
    "notes/a.md": "# Heron\n\nA heron stands in the reeds.\n",
    "notes/b.md": "An owl at night.\n",
  });
  expect(await maxsim("index", "notes")).toMatchObject({ status: 0 });
});

describe("backup and restore", () => {
  it("copy an index and bring it back", async () => {
    const made = await maxsim("backup", "saved/notes.tar");
    expect(made).toMatchObject({ status: 0 });
    expect(made.stdout).toMatch(
      /^backed up 2 documents in .*\n {2}documents +2\n {2}files +4, .*\n {2}backup +saved\/notes\.tar \(generation 1\)\n$/,
    );
    expect(made.stderr).toMatch(/^index: index-data\/default\ncopy {2}/);
    const before = await hits("index-data/default");

    const there = await maxsim("restore", "saved/notes.tar");
    expect(there).toMatchObject({ status: 1, stdout: "" });
    expect(there.stderr).toMatch(/error: there is an index in .*\nhint: .*--replace/);

    writeFiles(cwd, { "notes/c.md": "A heron flies.\n" });
    await maxsim("index", "notes");
    expect(await documents("index-data/default")).toBe(3);
    const replaced = await maxsim("restore", "saved/notes.tar", "--replace");
    expect(replaced).toMatchObject({ status: 0 });
    expect(replaced.stdout).toMatch(/^replaced the index by 2 documents in /);
    expect(await hits("index-data/default")).toEqual(before);

    const elsewhere = await maxsim("restore", "saved/notes.tar", "--index", "other");
    expect(elsewhere.stdout).toMatch(/^restored 2 documents in .*\(generation 1\)\n$/s);
    expect(await documents("other")).toBe(2);
  });

  it("report as JSON, with nothing else on stderr", async () => {
    const made = await maxsim("backup", "copy", "--json");
    expect(made).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(made.stdout)).toMatchObject({
      index: join(cwd, "index-data/default"),
      target: join(cwd, "copy"),
      format: "folder",
      generation: 1,
      documents: 2,
      files: 4,
    });
    const restored = await maxsim("restore", "copy", "--index", "again", "--json");
    expect(restored).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(restored.stdout)).toMatchObject({
      backup: "copy",
      folder: join(cwd, "again"),
      documents: 2,
      replaced: false,
      leftBehind: null,
    });
  });

  it("refuse what is wrong in one line, and leave everything as it was", async () => {
    const archive = readFileSync(join(cwd, "saved/notes.tar"));
    writeFileSync(join(cwd, "short.tar"), archive.subarray(0, 20_000));
    const cases: Array<[string[], number, RegExp]> = [
      [["backup", "saved/notes.tar"], 1, /^error: .*notes\.tar exists already\nhint: /m],
      [["backup", "x.tar", "--index", "nowhere"], 1, /^error: there is no index in .*nowhere/m],
      [["backup", "notes.tgz"], 2, /^error: target must be .*\.tar, found .*\nhint: Name the target \.tar/m],
      [["restore", "nowhere.tar"], 1, /^error: there is no backup .*nowhere\.tar\nhint: /m],
      [["restore", "short.tar", "--index", "new"], 1, /^error: .*short\.tar is damaged at byte .*cut short/m],
      [["restore", "notes", "--index", "new"], 1, /^error: there is no index in .*notes/m],
      [["restore", "copy", "--index", "notes", "--replace"], 1, /^error: .*notes exists already/m],
    ];
    for (const [args, status, message] of cases) {
      const result = await maxsim(...args);
      expect(result, args.join(" ")).toMatchObject({ status, stdout: "" });
      expect(result.stderr).toMatch(message);
    }
    for (const name of ["new", "x.tar", "notes.tgz", "new.restoring"]) {
      expect(existsSync(join(cwd, name)), name).toBe(false);
    }
  });
});
