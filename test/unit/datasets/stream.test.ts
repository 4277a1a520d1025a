import { describe, expect, test } from "vitest";
import { readStream, type StreamOptions } from "../../../src/datasets/stream.js";
import type { CorpusItem } from "../../../src/datasets/types.js";

async function read(chunks: readonly string[], options: Partial<StreamOptions> = {}): Promise<CorpusItem[]> {
  const input = (async function* () {
    for (const chunk of chunks) yield Buffer.from(chunk, "latin1");
  })();
  const items: CorpusItem[] = [];
  for await (const item of readStream(input, {
    format: "jsonl",
    id: "stdin",
    name: "standard input",
    ...options,
  }))
    items.push(item);
  return items;
}

describe("a stream", () => {
  test("of records gives documents without a source", async () => {
    expect(await read(['{"id": "a", "te', 'xt": "one"}\n{"text": "two"}'])).toEqual([
      { kind: "document", document: { id: "a", text: "one" } },
      { kind: "document", document: { id: "stdin:2", text: "two" } },
    ]);
    expect(await read(["id,text\n1,one\n"], { format: "csv" })).toMatchObject([
      { document: { id: "1", text: "one" } },
    ]);
    expect(await read(["sku\tbody\n1\tone\n"], { format: "tsv", idColumn: "sku" })).toMatchObject([
      { document: { id: "1", text: "one" } },
    ]);
  });

  test("of text is one document", async () => {
    expect(await read(["# Ti", "tle\n\nText."], { format: "markdown", id: "today" })).toMatchObject([
      { document: { id: "today", title: "Title", text: "Title\n\nText." } },
    ]);
    expect(await read(["a\xff"], { format: "text" })).toMatchObject([
      { document: { text: "a\ufffd" }, replaced: 1 },
    ]);
    expect(await read([" \n"], { format: "text" })).toEqual([
      { kind: "skipped", path: "standard input", reason: "no text in it" },
    ]);
    expect(await read(["\0\x01\x02"], { format: "text" })).toMatchObject([
      { reason: "it is no text", failed: true },
    ]);
  });

  test("that is malformed is named", async () => {
    await expect(read(["Hello, this is text.\n"])).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringMatching(/^standard input:1: not JSON/),
    });
    await expect(read(["sku\n1\n"], { format: "csv" })).rejects.toMatchObject({ code: "UNKNOWN_COLUMN" });
    await expect(read([], { format: "text", id: "" })).rejects.toMatchObject({ code: "INVALID_DOCUMENT" });
    await expect(read(["x"], { format: "text", signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "ABORTED",
    });
  });
});
