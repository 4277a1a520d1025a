/** `maxsim index` and `sync` on files that are more than text, on chosen files, and on standard input. */
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type CliResult, jsonLines, maxsim as runMaxsim, startMaxsim, writeFiles } from "../support/cli.js";
import { docxFile, notebookFile } from "../support/office-files.js";
import { pdfFile } from "../support/pdf-file.js";
import { tempFolder } from "../support/temp-folder.js";

const cwd = tempFolder();
const maxsim = (...args: string[]) => runMaxsim(args, { cwd });

function piped(input: string | Uint8Array, ...args: string[]): Promise<CliResult> {
  const { child, result } = startMaxsim(args, { cwd });
  child.stdin?.end(input);
  return result;
}

describe("documents that are more than text", () => {
  let first: CliResult;

  beforeAll(async () => {
    writeFiles(join(cwd, "papers"), {
      "volcano.pdf": pdfFile([["An introduction."], ["Gas expands in molten rock, and a mountain erupts."]]),
      "cut.pdf": pdfFile([["Nothing of it."]]).slice(0, 200),
      "letter.docx": docxFile(["Dear Ida,", "put a tenth of your income aside."]),
      "lab.ipynb": notebookFile([
        ["markdown", "# Tomatoes"],
        ["markdown", "Seedlings want warmth and light."],
      ]),
      "drafts/old.md": "An old draft about herons.\n",
      "blob.bin": Uint8Array.from({ length: 600 }, (_, i) => i % 256),
    });
    first = await maxsim("index", "papers", "--index", "ix");
  });

  it("tells what could not be read from what is no text", () => {
    expect(first.status).toBe(0);
    expect(first.stdout).toContain("indexed 4 documents");
    expect(first.stderr).toContain(
      "could not read 1 file\n  papers/cut.pdf: the PDF is damaged: Invalid PDF structure\n" +
        "skipped 1 file\n  papers/blob.bin: a binary file\n",
    );
    // Libraries print nothing of their own.
    expect(first.stderr).not.toMatch(/warning/i);
  });

  it("opens a hit at its page, paragraph or cell", async () => {
    const at = async (query: string): Promise<string> => {
      const { stdout } = await maxsim("search", query, "--index", "ix", "-k", "1");
      return /papers\/\S+/.exec(stdout)![0];
    };
    expect(await at("why do mountains erupt")).toBe("papers/volcano.pdf#page=2");
    expect(await at("how much of my salary should I save")).toBe("papers/letter.docx#paragraph=1");
    expect(await at("what do young plants need")).toBe("papers/lab.ipynb#cell=1");
    const { stdout } = await maxsim("get", "volcano.pdf", "--index", "ix");
    expect(stdout).toMatch(/\nmetadata +pages: 2\npassages +2: pages 1, 2\n/);
    const json = JSON.parse((await maxsim("search", "mountains", "--index", "ix", "--json")).stdout);
    expect(json.hits[0].passage).toMatchObject({ lineStart: 2, lineEnd: 2, positionUnit: "page" });
  });

  it("is indexed as far as patterns say, which a sync remembers and takes back", async () => {
    const json = async (...args: string[]) => {
      const { stdout, stderr } = await maxsim(...args, "--index", "chosen", "--json");
      return JSON.parse(stdout === "" ? stderr : stdout);
    };
    const index = await json(
      "index",
      "papers",
      "--include",
      "*.md",
      "--include",
      "*.docx",
      "--exclude",
      "drafts/",
    );
    expect(index).toMatchObject({ documents: 1, skipped: { files: [] } });
    expect((await json("sync")).added).toEqual([]);
    const without = await json("sync", "papers", "--no-exclude");
    expect(without.added).toEqual([join(cwd, "papers/drafts/old.md")]);
    const all = await json("sync", "papers", "--no-include", "--max-file-size", "10k");
    expect(all.added).toHaveLength(2);
    expect(all.skipped.files).toContainEqual({
      path: join(cwd, "papers/cut.pdf"),
      reason: expect.stringContaining("damaged"),
      failed: true,
    });
    const small = await json("index", "papers", "--max-file-size", "0.1k", "--include", "*.bin");
    expect(small).toMatchObject({ error: { code: "EMPTY_CORPUS" } });
  }, 120_000);
});

describe("standard input", () => {
  it("is records, or one text", async () => {
    const records = jsonLines([
      { id: "heron", text: "A heron waits for fish." },
      { text: "A wren nests in the hedge." },
    ]);
    const first = await piped(records, "index", "-", "--index", "pipe", "--json");
    expect(JSON.parse(first.stdout)).toMatchObject({ documents: 2 });
    const text = ["index", "-", "--format", "markdown", "--id", "today", "--index", "pipe", "--json"];
    expect(JSON.parse((await piped("# Notes\n\nBuy tea.\n", ...text)).stdout)).toMatchObject({
      documents: 1,
    });
    const { stdout } = await maxsim("list", "--index", "pipe", "--json");
    expect(JSON.parse(stdout).documents.map(({ id }: { id: string }) => id)).toEqual([
      "heron",
      "stdin:2",
      "today",
    ]);
    const { stdout: got } = await maxsim("get", "today", "--index", "pipe", "--json");
    expect(JSON.parse(got)).toMatchObject({ title: "Notes", text: "Notes\n\nBuy tea." });
    expect(JSON.parse(got)).not.toHaveProperty("source");
  });

  it("comes after the files that are named with it", async () => {
    writeFiles(cwd, { "one.md": "A first text.\n" });
    const { stdout } = await piped(
      "id,text\n7,seven\n",
      "index",
      "one.md",
      "-",
      "--format",
      "csv",
      "--index",
      "both",
      "--json",
    );
    expect(JSON.parse(stdout)).toMatchObject({ documents: 2 });
  });

  it.each([
    [
      "text where records are expected",
      "Hello.\n",
      ["index", "-"],
      1,
      "standard input:1: not JSON",
      "--format text",
    ],
    ["nothing", "", ["index", "-"], 1, "found no document to index in -", "Name a folder"],
    ["bytes", "\0\x01\x02\x03", ["index", "-", "--format", "text"], 1, "1 file skipped", "it is no text"],
    [
      "a format without it",
      "",
      ["index", "one.md", "--format", "text"],
      2,
      "--format is for standard input",
      '"-"',
    ],
    ["another format", "", ["index", "-", "--format", "pdf"], 2, "--format takes jsonl, csv", ""],
    ["sync", "", ["sync", "-"], 2, "standard input cannot be synced", "maxsim index -"],
  ])("is refused: %s", async (_, input, args, status, message, hint) => {
    const result = await piped(input, ...args, "--index", "none");
    expect(result).toMatchObject({ status, stdout: "" });
    expect(result.stderr).toContain(message);
    expect(result.stderr).toContain(hint);
  });

  it("that never ends is left on Ctrl-C", async () => {
    const { child, result, seen } = startMaxsim(["index", "-", "--index", "endless"], { cwd });
    child.stdin!.write('{"id": "a", "text": "one"}\n');
    await seen(/index: /);
    child.kill("SIGINT");
    expect(await result).toMatchObject({ status: 130, stderr: expect.stringContaining("interrupted") });
    expect((await maxsim("info", "--index", "endless")).stderr).toContain("no index");
  });
});
