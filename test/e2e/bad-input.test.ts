/** Input that cannot be indexed: the file and the reason are named, and nothing is lost. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
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

const TOO_LONG = 64 * 1024 * 1024 + 1;

beforeAll(async () => {
  writeFiles(cwd, {
    "good.md": "A heron stands in the reeds.\n",
    "nothing/.keep": "",
    "binary/a.bin": Uint8Array.from({ length: 300 }, (_, i) => i % 256),
    "nul.txt": "before\0after\n",
    "broken.jsonl": '{"id":"a","text":"one"}\n\n{"id":"b","text":\n',
    "list.jsonl": "[1,2]\n",
    "nul.jsonl": '{"id":"a\u0000b","text":"t"}\n',
    "nulid.jsonl": '{"id":"a\\u0000b","text":"t"}\n',
    "surrogate.jsonl": '{"id":"x\\ud800","text":"t"}\n',
    "double.jsonl": jsonLines([
      { id: "a", text: "one" },
      { id: "a", text: "two" },
    ]),
    "ragged.csv": "id,text\na,one\nb,two,three\n",
    "table.csv": "sku,description\n1,heron\n",
    "utf16.csv": Buffer.from("\ufeffid,text\na,b\n", "utf16le"),
    "large.txt": Buffer.alloc(11_000_000, "word "),
    "endless.jsonl": Buffer.alloc(TOO_LONG, "a"),
  });
  const { status } = await maxsim("index", "good.md", "--index", "kept");
  expect(status).toBe(0);
});

describe("index says what is wrong and where", () => {
  it.each([
    ["a path that is not there", ["missing"], "no such file or folder", "Check the spelling"],
    [
      "a missing path after a good one",
      ["good.md", "missing"],
      "no such file or folder",
      "Check the spelling",
    ],
    ["an empty folder", ["nothing"], "found no document to index in nothing", "Name a folder"],
    [
      "a folder without text",
      ["binary"],
      "in binary: 1 file skipped",
      "Skipped: binary/a.bin (a binary file).",
    ],
    ["NUL bytes", ["nul.txt"], "in nul.txt: 1 file skipped", "nul.txt (a binary file)"],
    ["a large file", ["large.txt"], "1 file skipped", "large.txt (larger than 10485760 bytes: 11000000)"],
    ["an invalid line", ["broken.jsonl"], "/broken.jsonl:3: not JSON: ", "--skip-invalid"],
    [
      "a line that is no object",
      ["list.jsonl"],
      "/list.jsonl:1: a JSON object was expected",
      "--skip-invalid",
    ],
    ["a raw NUL in a record", ["nul.jsonl"], "/nul.jsonl:1: not JSON: ", "--skip-invalid"],
    ["a NUL in an id", ["nulid.jsonl"], '/nulid.jsonl:1: "id": ', "--skip-invalid"],
    ["a lone surrogate in an id", ["surrogate.jsonl"], '/surrogate.jsonl:1: "id": ', "--skip-invalid"],
    [
      "a line too long",
      ["endless.jsonl"],
      `/endless.jsonl:1: the line has ${TOO_LONG} bytes`,
      "--skip-invalid",
    ],
    [
      "an id twice",
      ["double.jsonl", "--on-duplicate", "error"],
      'document id "a" appears twice: first in ',
      "its own id",
    ],
    [
      "a row too long",
      ["ragged.csv"],
      "/ragged.csv:3: the row has 3 fields, the header has 2",
      "--skip-invalid",
    ],
    [
      "a missing column",
      ["table.csv"],
      'table.csv has no column "text", found "sku", "description"',
      "--text-column",
    ],
    ["UTF-16", ["utf16.csv"], "utf16.csv is UTF-16, UTF-8 was expected", "iconv"],
    [
      "an unknown column",
      ["table.csv", "--text-column", "descr"],
      'table.csv has no column "descr", found "sku", "description"',
      "--text-column",
    ],
    ["an unknown model", ["good.md", "--model", "other"], 'there is no model "other"', "maxsim-small-en-v1"],
  ])("%s", async (_, args, message, hint) => {
    const before = readdirSync(cwd);
    const first = await maxsim("index", ...args, "--index", "new/deep");
    expect(first).toMatchObject({ status: 1, stdout: "" });
    const lines = first.stderr.split("\n");
    const at = lines.findIndex((line) => line.startsWith("error: "));
    expect(lines[at]).toContain(message);
    expect(lines[at + 1]).toMatch(/^hint: /);
    expect(lines[at + 1]).toContain(hint);
    // One message, no stack, no new folder.
    expect(lines.slice(at + 2)).toEqual([""]);
    expect(readdirSync(cwd)).toEqual(before);
  });

  it("leaves an index as it was", async () => {
    // A writer tidies up the locks of readers that are gone.
    const files = (): string[] =>
      readdirSync(join(cwd, "kept"), { recursive: true, encoding: "utf8" }).filter(
        (path) => !path.startsWith("snapshots/"),
      );
    const before = files();
    const strict = ["--on-duplicate", "error"];
    const failed = await maxsim("index", "double.jsonl", ...strict, "--index", "kept", "--json");
    expect(failed).toMatchObject({ status: 1, stdout: "" });
    expect(JSON.parse(failed.stderr).error).toMatchObject({
      code: "DUPLICATE_ID",
      message: expect.stringMatching(/double\.jsonl:1, then in .*double\.jsonl:2$/),
    });
    expect(files()).toEqual(before);
    const info = JSON.parse((await maxsim("info", "--index", "kept", "--json")).stdout);
    expect(info).toMatchObject({ generation: 1, documents: 1 });
  });

  it("does not take a file for a folder", async () => {
    const { status, stderr } = await maxsim("index", "good.md", "--index", "good.md");
    expect(status).toBe(1);
    expect(stderr).toContain(`error: ${join(cwd, "good.md")} is not a folder\n`);
  });
});

it("records of 10 MB, NUL and lone surrogates in a text are taken as they are", async () => {
  writeFiles(cwd, {
    "odd.jsonl":
      `{"id":"big","text":"a wren in the hedge","blob":"${"ab ".repeat(3_400_000)}"}\n` +
      '{"id":"nul","text":"an owl \\u0000 at night"}\n{"id":"lone","text":"a \\ud800 kite"}\n',
  });
  expect(await maxsim("index", "odd.jsonl", "--index", "odd")).toMatchObject({ status: 0 });
  const { stdout } = await maxsim("search", "owl", "--index", "odd", "--json");
  const texts = Object.fromEntries(
    JSON.parse(stdout).hits.map(({ id, text }: { id: string; text: string }) => [id, text]),
  );
  expect(texts).toEqual({ big: "a wren in the hedge", nul: "an owl \0 at night", lone: "a \ufffd kite" });
  const human = await maxsim("search", "owl", "--index", "odd", "-k", "3");
  expect(human.stdout.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
});

describe("an error", () => {
  it("shows its stack only with --verbose or MAXSIM_DEBUG", async () => {
    const plain = await maxsim("info", "--index", "nowhere");
    expect(plain).toEqual({
      status: 1,
      signal: null,
      stdout: "",
      stderr:
        `error: there is no index in ${join(cwd, "nowhere")}: it has no catalog.sqlite\n` +
        "hint: Build one with: maxsim index <paths...> --index nowhere\n",
    });
    expect((await maxsim("info", "--index", "nowhere", "--verbose")).stderr).toMatch(/\n {4}at /);
    const env = { MAXSIM_DEBUG: "1" };
    expect((await runMaxsim(["info", "--index", "nowhere"], { cwd, env })).stderr).toMatch(/\n {4}at /);
    expect(existsSync(join(cwd, "nowhere"))).toBe(false);
  });

  it("that nobody expected is told in one line as well", async () => {
    // Throws once the command line listens for what nothing caught.
    const odd = `process.on("newListener", (name) => {
      if (name === "uncaughtException") setImmediate(() => { throw new TypeError("odd"); });
    });`;
    const NODE_OPTIONS = `--import "data:text/javascript,${encodeURIComponent(odd)}"`;
    const plain = await runMaxsim(["--version"], { cwd, env: { NODE_OPTIONS } });
    expect(plain.status).toBe(1);
    expect(plain.stderr).toMatch(/^error: odd\nhint: This is a bug in maxsim; .*--verbose.*\n$/);
    const debug = await runMaxsim(["--version"], { cwd, env: { NODE_OPTIONS, MAXSIM_DEBUG: "1" } });
    expect(debug.stderr).toMatch(/^error: odd\nhint: .*\nTypeError: odd\n {4}at /);
  });

  const noFull = existsSync("/dev/full") ? undefined : "there is no /dev/full";

  it.skipIf(noFull)(nameOrReason("of the output itself is one, too", noFull), async () => {
    const script = `"${process.execPath}" "${MAIN}" info --index kept > /dev/full`;
    const { status, stderr } = await startMaxsim(["-c", script], { cwd, command: ["sh"] }).result;
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: no space left to write the output .*\n/);
  });
});
