/** Folders that are no index, or not one that this version, this model or this moment can read. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeAll, describe, expect, it } from "vitest";
import { WriterLock } from "../../src/storage/lock.js";
import { maxsim as runMaxsim, writeFiles } from "../support/cli.js";
import { tempFolder } from "../support/temp-folder.js";

const BUNDLED = new URL("../../index-data/models/maxsim-small-en-v1", import.meta.url).pathname;

const cwd = tempFolder();
const maxsim = (...args: string[]) => runMaxsim(args, { cwd });

beforeAll(async () => {
  writeFiles(cwd, { "a.md": "A heron stands in the reeds.\n", "b.md": "An owl at night.\n" });
  expect(await maxsim("index", "a.md", "--index", "good")).toMatchObject({ status: 0 });
});

/** A copy of the good index. */
function copy(name: string): string {
  const folder = join(cwd, name);
  cpSync(join(cwd, "good"), folder, { recursive: true });
  return folder;
}

async function refused(args: string[], message: RegExp, hint: RegExp): Promise<void> {
  const { status, stdout, stderr } = await maxsim(...args);
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  const lines = stderr.split("\n").filter((line) => !line.startsWith("index: "));
  expect(lines[0]).toMatch(/^error: /);
  expect(lines[0]).toMatch(message);
  expect(lines[1]).toMatch(/^hint: /);
  expect(lines[1]).toMatch(hint);
  expect(lines.slice(2)).toEqual([""]);
}

describe("what is no index", () => {
  it("a folder, a file, nothing", async () => {
    mkdirSync(join(cwd, "folder"));
    for (const name of ["folder", "a.md", "nothing"]) {
      await refused(
        ["search", "x", "--index", name],
        /there is no index in .*\/(folder|a\.md|nothing)/,
        /maxsim index/,
      );
    }
    await refused(
      ["search", "x"],
      /there is no index in .*\/index-data\/default/,
      /maxsim index <paths\.\.\.>, or/,
    );
  });

  it("a folder with a catalog of something else, which stays as it is", async () => {
    writeFiles(cwd, { "text/catalog.sqlite": "hello\n" });
    await refused(["info", "--index", "text"], /text\/catalog\.sqlite is damaged/, /Restore/);
    const foreign = join(cwd, "foreign");
    mkdirSync(foreign);
    const db = new Database(join(foreign, "catalog.sqlite"));
    db.exec("CREATE TABLE mine (a); INSERT INTO mine VALUES (1)");
    db.close();
    const before = readFileSync(join(foreign, "catalog.sqlite"));
    await refused(
      ["info", "--index", "foreign"],
      /no index in .*foreign: .*application id 0/,
      /maxsim index/,
    );
    expect(await maxsim("index", "a.md", "--index", "foreign")).toMatchObject({ status: 1, stdout: "" });
    expect(readFileSync(join(foreign, "catalog.sqlite")).equals(before)).toBe(true);
  });
});

describe("a newer format is refused with both versions", () => {
  it("of the catalog", async () => {
    const db = new Database(join(copy("newer-catalog"), "catalog.sqlite"));
    db.pragma("user_version = 99");
    db.close();
    const message =
      /newer-catalog\/catalog\.sqlite has format version 99, this package reads up to version 1/;
    await refused(["search", "x", "--index", "newer-catalog"], message, /Upgrade maxsim/);
    await refused(["index", "b.md", "--index", "newer-catalog"], message, /Upgrade maxsim/);
  });

  it("of a segment", async () => {
    const path = onlyFile(join(copy("newer-segment"), "segments"));
    const bytes = readFileSync(path);
    bytes.writeUInt32LE(99, 8);
    writeFileSync(path, bytes);
    await refused(
      ["search", "x", "--index", "newer-segment"],
      /newer-segment\/segments\/\S+ has format version 99, .*version 1/,
      /Upgrade maxsim/,
    );
  });
});

describe("a damaged file is named", () => {
  it.each(["segments", "codecs"])("in %s", async (kind) => {
    const folder = `damaged-${kind}`;
    const path = onlyFile(join(copy(folder), kind));
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(path, bytes);
    const message = new RegExp(`${folder}/${kind}/\\S+`);
    await refused(["search", "heron", "--index", folder], message, /./);
    await refused(["info", "--index", folder], message, /./);
    await refused(["index", "b.md", "--index", folder], message, /./);
  });
});

describe("a file of another length is named", () => {
  it.each([
    ["mapped", {}],
    ["read into memory", { MAXSIM_KERNELS: "wasm" }],
  ] as const)("when it is %s", async (how, env) => {
    for (const kind of ["segments", "codecs"]) {
      const folder = `cut-${kind}-${how.replaceAll(" ", "-")}`;
      const path = onlyFile(join(copy(folder), kind));
      const bytes = readFileSync(path);
      writeFileSync(path, bytes.subarray(0, bytes.length - 64));
      const result = await runMaxsim(["search", "heron", "--index", folder], { cwd, env });
      expect(result).toMatchObject({ status: 1, stdout: "" });
      expect(result.stderr).toMatch(
        new RegExp(
          `${folder}/${kind}/\\S+ .*expected a file of ${bytes.length} bytes, found ${bytes.length - 64}`,
        ),
      );
      writeFileSync(path, "");
      const empty = await runMaxsim(["info", "--index", folder], { cwd, env });
      expect(empty).toMatchObject({ status: 1, stdout: "" });
      expect(empty.stderr).toMatch(new RegExp(`${folder}/${kind}/\\S+ .*found 0 bytes`));
    }
  });
});

describe("a model that the index was not made with", () => {
  it("is refused by both commands, naming both", async () => {
    const model = join(cwd, "other-model");
    cpSync(BUNDLED, model, { recursive: true });
    const config = join(model, "onnx_config.json");
    const text = readFileSync(config, "utf8");
    writeFileSync(config, text.replace('"document_length": 256', '"document_length": 128'));
    expect(readFileSync(config, "utf8")).not.toBe(text);
    const message = /made with model maxsim-small-en-v1 \([0-9a-f]{12}\), found .* in .*\/other-model/;
    await refused(["index", "b.md", "--index", "good", "--model", "other-model"], message, /Name the model/);
    await refused(["search", "x", "--index", "good", "--model", "other-model"], message, /Name the model/);
    const info = JSON.parse((await maxsim("info", "--index", "good", "--json")).stdout);
    expect(info).toMatchObject({ documents: 1, generation: 1 });
  });
});

describe("a second writer", () => {
  it("is refused while another one works, and readers are not", async () => {
    const folder = copy("locked");
    const lock = WriterLock.acquire(folder);
    try {
      await refused(
        ["index", "b.md", "--index", "locked"],
        /locked is being written to by another writer/,
        /Wait/,
      );
      expect(await maxsim("search", "bird", "--index", "locked")).toMatchObject({ status: 0 });
    } finally {
      lock.release();
    }
    expect(await maxsim("index", "b.md", "--index", "locked")).toMatchObject({ status: 0 });
  });
});

function onlyFile(folder: string): string {
  const names = readdirSync(folder);
  expect(names).toHaveLength(1);
  return join(folder, names[0]!);
}
