import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type WalkOptions, walkFiles } from "../../../src/text/walk.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "maxsim-walk-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(...paths: string[]): void {
  for (const path of paths) write(path, "text");
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** Relative paths of the files; skipped ones as "!path: reason". */
async function walk(options: WalkOptions = {}, paths: readonly string[] = [root]): Promise<string[]> {
  const found: string[] = [];
  for await (const file of walkFiles(paths, options)) {
    if (file.kind === "file") found.push(file.relativePath);
    else found.push(`!${file.path.slice(root.length + 1)}: ${file.reason}`);
  }
  return found;
}

const isWindows = process.platform === "win32";

describe("a folder", () => {
  test("is walked by name in code unit order, hidden files and node_modules left out", async () => {
    put(
      "b.txt",
      "a/z.txt",
      "a.txt",
      "B.txt",
      ".hidden",
      ".git/config",
      "node_modules/x/index.js",
      "a/.cache/y",
    );
    expect(await walk()).toEqual(["B.txt", "a/z.txt", "a.txt", "b.txt"]);
    expect(await walk({ hidden: true })).toEqual([
      ".hidden",
      "B.txt",
      "a/.cache/y",
      "a/z.txt",
      "a.txt",
      "b.txt",
    ]);
    expect(await walk({ nodeModules: true })).toContain("node_modules/x/index.js");
    expect(await walk({}, [join(root, "node_modules")])).toEqual(["x/index.js"]);
  });

  test("that holds an index is left out, and so is what is excluded by path", async () => {
    put(
      "a.txt",
      "ix/catalog.sqlite",
      "ix/write.lock",
      "ix/history.log",
      "mine/catalog.sqlite",
      "out/b.txt",
      "c.txt",
    );
    const excludePaths = [join(root, "out"), join(root, "c.txt")];
    expect(await walk({ excludePaths })).toEqual([
      "a.txt",
      "!ix: the folder of an index",
      "mine/catalog.sqlite",
    ]);
  });

  test("is read as far as patterns include and do not exclude it", async () => {
    put("a.md", "b.PDF", "drafts/c.pdf", "docs/d.md", "docs/deep/e.pdf", "docs/deep/notes/f.txt", "#g.md");
    expect(await walk({ include: ["*.pdf"] })).toEqual(["b.PDF", "docs/deep/e.pdf", "drafts/c.pdf"]);
    expect(await walk({ include: ["*.pdf"], exclude: ["drafts/"] })).toEqual(["b.PDF", "docs/deep/e.pdf"]);
    expect(await walk({ include: ["docs/"], exclude: ["*.pdf"] })).toEqual([
      "docs/d.md",
      "docs/deep/notes/f.txt",
    ]);
    expect(await walk({ include: ["/*.md", "docs/**/*.txt"] })).toEqual([
      "#g.md",
      "a.md",
      "docs/deep/notes/f.txt",
    ]);
    expect(await walk({ exclude: ["*.*", "!a.md"] })).toEqual(["a.md"]);
    expect(await walk({ include: ["#g.md"] })).toEqual(["#g.md"]);
    expect(await walk({ include: ["*.none"] })).toEqual([]);
    write(".gitignore", "a.md\n");
    expect(await walk({ include: ["a.md"] })).toEqual([]);
    // What is named itself is read.
    expect(await walk({ exclude: ["*"] }, [join(root, "a.md")])).toEqual(["a.md"]);
    await expect(walk({ include: [" "] })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  test("that is empty has no files", async () => {
    expect(await walk()).toEqual([]);
  });

  test("respects .gitignore at each level, with the innermost rule deciding", async () => {
    put("a.log", "keep.log", "sub/b.log", "sub/deep/c.log", "build/x.txt", "sub/build/y.txt", "dir/only.txt");
    write(".gitignore", "*.log\n!keep.log\n/build/\ndir\n");
    write("sub/.gitignore", "!b.log\n");
    write("sub/deep/.gitignore", "*.txt\n");
    put("sub/deep/d.txt", "sub/deep/e.md");
    expect(await walk()).toEqual(["keep.log", "sub/b.log", "sub/build/y.txt", "sub/deep/e.md"]);
    expect(await walk({ gitignore: false })).toContain("build/x.txt");
  });

  test("reports files over the size, but not those that are streamed", async () => {
    put("big.txt", "big.jsonl", "big.CSV");
    for (const name of ["big.txt", "big.jsonl", "big.CSV"]) truncateSync(join(root, name), 11 * 1024 * 1024);
    expect(await walk()).toEqual(["big.CSV", "big.jsonl", "!big.txt: larger than 10485760 bytes: 11534336"]);
    expect(await walk({ maxFileSize: 2e7 })).toContain("big.txt");
    // Pictures make them large.
    put("big.pdf");
    truncateSync(join(root, "big.pdf"), 11 * 1024 * 1024);
    expect(await walk()).toContain("big.pdf");
    expect(await walk({ maxFileSize: 1000 })).toContain("!big.pdf: larger than 1000 bytes: 11534336");
  });

  test.skipIf(isWindows)("does not follow symbolic links, cyclic ones included", async () => {
    put("a/file.txt");
    symlinkSync("..", join(root, "a/up"));
    symlinkSync("a/file.txt", join(root, "same"));
    symlinkSync(tmpdir(), join(root, "out"));
    symlinkSync("missing", join(root, "z-broken"));
    const inside = "a symbolic link inside the folder; its target is read under its own path";
    expect(await walk()).toEqual([
      "a/file.txt",
      `!a/up: ${inside}`,
      "!out: a symbolic link out of the folder",
      `!same: ${inside}`,
      "!z-broken: a symbolic link that leads nowhere (ENOENT)",
    ]);
  });

  test.skipIf(isWindows)("skips named pipes without opening them", async () => {
    execFileSync("mkfifo", [join(root, "pipe"), join(root, ".gitignore")]);
    put("a.txt");
    expect(await walk()).toEqual(["a.txt", "!pipe: not a regular file but a named pipe"]);
    expect(await walk({}, [join(root, "pipe")])).toEqual(["!pipe: not a regular file but a named pipe"]);
  });
});

describe("a named path", () => {
  test("that is a file is found even when hidden or ignored", async () => {
    write(".gitignore", "*");
    expect(await walk({}, [join(root, ".gitignore")])).toEqual([".gitignore"]);
  });

  test("that does not exist is an error", async () => {
    await expect(walk({}, [join(root, "nothing")])).rejects.toMatchObject({
      code: "PATH_NOT_FOUND",
      message: expect.stringContaining("nothing"),
    });
    put("file");
    await expect(walk({}, [join(root, "file/below")])).rejects.toMatchObject({ code: "PATH_NOT_FOUND" });
  });
});
