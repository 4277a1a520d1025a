import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type CorpusItem, type CorpusOptions, readCorpus } from "../../../src/datasets/corpus.js";
import { readLines } from "../../../src/datasets/lines.js";
import type { DocumentInput } from "../../../src/documents/types.js";
import { nameOrReason } from "../../support/cli.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "maxsim-corpus-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, content: string | Uint8Array): string {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, content);
  return full;
}

async function read(paths: string | string[], options: CorpusOptions = {}): Promise<CorpusItem[]> {
  const items: CorpusItem[] = [];
  for await (const item of readCorpus([paths].flat(), options)) items.push(item);
  return items;
}

async function documents(paths: string | string[], options: CorpusOptions = {}): Promise<DocumentInput[]> {
  return (await read(paths, options)).map((item) => {
    if (item.kind !== "document") throw new Error(`${item.path}: ${item.reason}`);
    return item.document;
  });
}

const ids = async (paths: string | string[]): Promise<string[]> =>
  (await documents(paths)).map(({ id }) => id);

describe("files", () => {
  test("are documents with paths as ids", async () => {
    write("docs/b.md", "---\ntitle: Bee\nlang: en\n---\nText *b*.");
    write("docs/sub/a.txt", "Text a.");
    const single = write("x/single.html", "<title>T</title><p>c");
    expect(await documents(join(root, "docs"))).toMatchObject([
      {
        id: "b.md",
        title: "Bee",
        text: "Text b.",
        metadata: { lang: "en" },
        source: { path: join(root, "docs/b.md") },
      },
      { id: "sub/a.txt", text: "Text a.", blocks: [{ kind: "paragraph", start: 0, end: 7 }] },
    ]);
    expect(await ids(single)).toEqual(["single.html"]);
    expect(await ids([join(root, "docs"), single])).toEqual(["docs/b.md", "docs/sub/a.txt", "single.html"]);
    expect(await ids([single, single])).toEqual(["single.html"]);
  });

  test("whose ids would clash are refused", async () => {
    write("a/docs/f.txt", "x");
    write("b/docs/f.txt", "x");
    await expect(read([join(root, "a/docs"), join(root, "b/docs")])).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });

  test("that are binary or without text are skipped, other encodings are read", async () => {
    write("a.bin", Uint8Array.from([1, 0, 2]));
    write("b.txt", " \n");
    write("c.txt", Buffer.from("\ufeffGrüße", "utf16le"));
    write("d.txt", Uint8Array.from([0x61, 0xff]));
    write("e.txt", `${"long ".repeat(4000)}end`);
    expect(await read(root)).toMatchObject([
      { kind: "skipped", path: join(root, "a.bin"), reason: "a binary file" },
      { kind: "skipped", path: join(root, "b.txt"), reason: "no text in it" },
      { kind: "document", document: { id: "c.txt", text: "Grüße" } },
      { kind: "document", document: { id: "d.txt", text: "a\ufffd" }, replaced: 1 },
      { kind: "document", document: { text: expect.stringMatching(/^long .*end$/) } },
    ]);
  });

  // It is a regular file of 0 bytes, and reading its beginning fails whoever asks.
  const unreadable = "/proc/self/mem";
  const reason = existsSync(unreadable) ? undefined : `there is no ${unreadable}`;
  test.skipIf(reason)(nameOrReason("that the system does not let read are passed over", reason), async () => {
    expect(await read([unreadable, write("a.txt", "x")])).toMatchObject([
      { kind: "skipped", path: unreadable, reason: expect.stringContaining("cannot read"), failed: true },
      { kind: "document" },
    ]);
  });

  test("stop when aborted; a missing path is named", async () => {
    write("a.txt", "x");
    await expect(read(root, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
    await expect(read(join(root, "missing"))).rejects.toMatchObject({ code: "PATH_NOT_FOUND" });
  });
});

describe("JSONL", () => {
  test("gives a document a line", async () => {
    const path = write(
      "data.jsonl",
      '\ufeff{"_id": "a", "title": "T", "text": "x", "url": "http://u", "year": 2020, "tags": ["q"], "none": null}\r\n' +
        '\n{"id": 7, "text": "", "metadata": {"k": {"__proto__": 1}}, "k": 2}\n{"text": "\\ud800"}',
    );
    const [a, b, c] = await documents(path);
    expect(a).toEqual({
      id: "a",
      title: "T",
      text: "x",
      url: "http://u",
      metadata: { year: 2020, tags: ["q"] },
      source: { path, line: 1 },
    });
    expect(b).toMatchObject({ id: "7", text: "", source: { path, line: 3 } });
    expect(JSON.stringify(b!.metadata)).toBe('{"k":{"__proto__":1}}');
    expect(c).toEqual({ id: "data.jsonl:4", text: "\ud800", source: { path, line: 4 } });
  });

  test.each([
    ["{not json}", "not JSON"],
    ["[1]", "a JSON object was expected, found an array of 1"],
    ['{"id": "a"}', 'no field "text", found "id"'],
    ['{"id": "a", "text": 5}', '"text" must be a string, found 5'],
    ['{"id": "", "text": "x"}', '"id" must be a string that is not empty'],
    ['{"id": {}, "text": "x"}', '"id" must be a string'],
    ['{"title": [], "text": "x"}', '"title" must be a string'],
  ])("refuses %s", async (line, reason) => {
    const path = write("bad.jsonl", `{"id": "ok", "text": "x"}\n${line}\n{"id": "ok2", "text": "y"}\n`);
    await expect(read(path)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining(`${path}:2: `),
    });
    const items = await read(path, { skipInvalid: true });
    expect(items.map(({ kind }) => kind)).toEqual(["document", "invalid", "document"]);
    expect(items[1]).toMatchObject({ path, line: 2, reason: expect.stringContaining(reason) });
  });

  test("reads other fields when told", async () => {
    const path = write("d.jsonl", '{"key": "k", "name": "N", "contents": "c", "text": 1}');
    expect(
      await documents(path, { textColumn: "contents", idColumn: "key", titleColumn: "name" }),
    ).toMatchObject([{ id: "k", title: "N", text: "c", metadata: { text: 1 } }]);
    await expect(read(path, { textColumn: "contents", idColumn: "no" })).rejects.toThrow('no field "no"');
  });

  test("reads a line of 10 MB, and passes one that is too long", async () => {
    const path = write("long.jsonl", `{"text": "${"a".repeat(1e7)}"}\n{"text": "b"}\n`);
    expect((await documents(path)).map(({ text }) => text.length)).toEqual([1e7, 1]);
    const lines: Array<[number, string | undefined]> = [];
    for await (const { line, text } of readLines(path, 1000)) lines.push([line, text]);
    expect(lines).toEqual([
      [1, undefined],
      [2, '{"text": "b"}'],
    ]);
  });

  test("in UTF-16 is refused with what to do", async () => {
    const path = write("u.jsonl", Buffer.from('\ufeff{"text": "b"}', "utf16le"));
    await expect(read(path)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      hint: expect.stringContaining("UTF-8"),
    });
  });
});

describe("tables", () => {
  test("give a document a row, with the line where it begins", async () => {
    const path = write(
      "t.csv",
      '\ufeffid,title,text,extra\r\n1,T,"two\r\nlines, ""quoted""",e\r\n\r\n2,,second,\r\n,U,third "raw" quote,x\r\n',
    );
    expect(await documents(path)).toEqual([
      {
        id: "1",
        title: "T",
        text: 'two\nlines, "quoted"',
        metadata: { extra: "e" },
        source: { path, line: 2 },
      },
      { id: "2", text: "second", source: { path, line: 5 } },
      {
        id: "t.csv:6",
        title: "U",
        text: 'third "raw" quote',
        metadata: { extra: "x" },
        source: { path, line: 6 },
      },
    ]);
  });

  test("take other columns when told, tabs included", async () => {
    const path = write("t.tsv", 'sku\tname\tdescription\nA1\tThing\tIt is "good"\n');
    const options = { textColumn: "description", idColumn: "sku", titleColumn: "name" };
    expect(await documents(path, options)).toMatchObject([
      { id: "A1", title: "Thing", text: 'It is "good"' },
    ]);
    expect(await documents(write("c.csv", "id,content\n1,x\n"))).toMatchObject([{ id: "1", text: "x" }]);
  });

  test("without the column are refused when named, and skipped when found in a folder", async () => {
    const path = write("data/t.csv", "a,b\n1,2\n");
    await expect(read(path)).rejects.toMatchObject({
      code: "UNKNOWN_COLUMN",
      message: `${path} has no column "text", found "a", "b"`,
      hint: expect.stringContaining("--text-column"),
    });
    await expect(read(path, { textColumn: "a", idColumn: "z" })).rejects.toMatchObject({
      code: "UNKNOWN_COLUMN",
    });
    expect(await read(join(root, "data"))).toMatchObject([{ kind: "skipped", path }]);
  });

  test("with malformed rows are refused by line, or the rows are passed", async () => {
    const path = write("t.csv", "id,text\n1,a\n2\n3,c\n");
    await expect(read(path)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: `${path}:3: the row has 1 fields, the header has 2`,
    });
    const items = await read(path, { skipInvalid: true });
    expect(items.map(({ kind }) => kind)).toEqual(["document", "invalid", "document"]);
    const open = write("open.csv", 'id,text\n1,a\n2,"never closed\n3,c\n');
    await expect(read(open)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining(open),
      hint: expect.stringContaining("quotes"),
    });
  });
});

test("of a BEIR folder only the corpus is read", async () => {
  write("beir/corpus.jsonl", '{"_id": "d1", "title": "T", "text": "x", "metadata": {}}\n');
  write("beir/queries.jsonl", '{"_id": "q1", "text": "x"}\n');
  write("beir/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t1\n");
  expect(await documents(join(root, "beir"))).toEqual([
    { id: "d1", title: "T", text: "x", source: { path: join(root, "beir/corpus.jsonl"), line: 1 } },
  ]);
});
