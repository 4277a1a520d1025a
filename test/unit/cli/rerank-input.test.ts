import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchesOf } from "../../../src/cli/actions/rerank-batches.js";
import {
  type CandidateOptions,
  type Candidates,
  readCandidates,
} from "../../../src/cli/actions/rerank-input.js";
import { descendingScores } from "../../../src/cli/run-scores.js";
import { tempFolder } from "../../support/temp-folder.js";

const folder = tempFolder();
const DEFAULTS: CandidateOptions = {
  query: undefined,
  fields: ["title", "text"],
  byId: false,
  onInvalid: undefined,
};

async function read(text: string, options: Partial<CandidateOptions> = {}): Promise<Candidates[]> {
  const input = (async function* () {
    yield Buffer.from(text);
  })();
  const found: Candidates[] = [];
  const { signal } = new AbortController();
  for await (const one of readCandidates({ name: "in", input }, { ...DEFAULTS, ...options }, signal)) {
    found.push(one);
  }
  return found;
}

describe("candidates", () => {
  it("of one query side by side make one request", async () => {
    const lines = [
      '{"query":"a","text":"1"}',
      '{"query":"a","text":"2","id":"x"}',
      "",
      '{"query":"b","title":"3"}',
      '{"query":"a","text":"4"}',
      '{"query":"a","query_id":1,"text":"5"}',
    ];
    const requests = await read(lines.join("\n"));
    expect(requests.map(({ query, documents }) => [query, documents])).toEqual([
      ["a", [{ text: "1" }, { text: "2", id: "x" }]],
      ["b", [{ title: "3" }]],
      ["a", [{ text: "4" }]],
      ["a", [{ text: "5" }]],
    ]);
    expect(requests.at(-1)!.label).toEqual({ query: "a", query_id: 1 });
  });

  it("take the query of the command line where they have none", async () => {
    const requests = await read('"x"\n{"text":"y"}\n{"query":"own","documents":["z"]}\n"w"', { query: "q" });
    expect(requests).toEqual([
      { query: "q", label: {}, documents: ["x", { text: "y" }] },
      { query: "own", label: { query: "own" }, documents: ["z"], whole: true },
      { query: "q", label: {}, documents: ["w"] },
    ]);
  });

  it("may be ids", async () => {
    const requests = await read('"x"\n{"id":"y","text":"t"}', { query: "q", byId: true });
    expect(requests[0]!.documents).toEqual([{ id: "x" }, { id: "y", text: "t" }]);
    await expect(read('{"text":"t"}', { query: "q", byId: true })).rejects.toMatchObject({
      message: expect.stringMatching(/in:1: the document must be an id of the index/),
    });
  });

  it.each([
    ["{", /not JSON/],
    ["7", /a JSON object or a text in quotes was expected, found 7/],
    ["[]", /found an array of 0/],
    ['{"query":"a","documents":{}}', /documents must be an array, found an object/],
    ['{"query":"a","documents":[7]}', /documents\[0\] must be a text or an object/],
    ['{"query":"a","documents":[{"body":"b"}]}', /documents\[0\] must have one of the fields/],
    ['{"query":" ","text":"a"}', /query must be a text that is not empty, found " "/],
    ['{"query":5,"text":"a"}', /query must be a text that is not empty, found 5/],
    ['{"query":"a","body":"b"}', /must have one of the fields title, text, found body/],
    ['{"text":"a"}', /there is no query/],
  ])("that are broken are named, or left out: %s", async (line, message) => {
    const text = `{"query":"a","text":"1"}\n\n${line}\n{"query":"a","text":"2"}`;
    await expect(read(text)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringMatching(new RegExp(`^in:3: .*${message.source}`)),
      hint: expect.stringMatching(/./),
    });
    const left: string[] = [];
    const requests = await read(text, { onInvalid: (said) => left.push(said) });
    expect(requests.flatMap(({ documents }) => documents)).toEqual([{ text: "1" }, { text: "2" }]);
    expect(left).toEqual([expect.stringMatching(message)]);
  });

  it("are at most 10,000 a query", async () => {
    await expect(read('"a"\n'.repeat(10_001), { query: "q" })).rejects.toMatchObject({
      message: expect.stringMatching(/^in:10001: a query has at most 10000 documents/),
    });
  });

  it("come from files", async () => {
    const file = join(folder, "c.jsonl");
    writeFileSync(file, '\ufeff"x"\r\n');
    const { signal } = new AbortController();
    const options = { ...DEFAULTS, query: "q" };
    for await (const { documents } of readCandidates({ name: file }, options, signal)) {
      expect(documents).toEqual(["x"]);
    }
    const aborted = readCandidates({ name: file }, options, AbortSignal.abort());
    await expect(aborted.next()).rejects.toMatchObject({ code: "ABORTED" });
  });
});

describe("batches", () => {
  const limits = { size: 10, sizeOf: (item: number) => item };

  it("hold what is there, up to their size, in order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 12 })), async (items) => {
        const source = (async function* () {
          yield* items;
        })();
        const batches: number[][] = [];
        for await (const batch of batchesOf(source, limits)) batches.push(batch);
        expect(batches.flat()).toEqual(items);
        for (const batch of batches) {
          expect(batch.slice(0, -1).reduce((sum, item) => sum + item, 0)).toBeLessThan(10);
        }
      }),
    );
  });

  it("do not wait for what is not there", async () => {
    let go = (): void => undefined;
    const later = new Promise<void>((resolve) => {
      go = resolve;
    });
    const source = (async function* () {
      yield 1;
      yield 2;
      await later;
      yield 3;
    })();
    const batches = batchesOf(source, limits);
    expect((await batches.next()).value).toEqual([1, 2]);
    go();
    expect((await batches.next()).value).toEqual([3]);
    expect((await batches.next()).done).toBe(true);
  });

  it("come before the error that ends them", async () => {
    const source = (async function* () {
      yield 1;
      throw new Error("broken");
    })();
    const batches = batchesOf(source, limits);
    expect((await batches.next()).value).toEqual([1]);
    await expect(batches.next()).rejects.toThrow("broken");
  });
});

it("scores of a run fall from line to line, as 32-bit floats", () => {
  expect(descendingScores([3, 2, 1])).toEqual([3, 2, 1]);
  fc.assert(
    fc.property(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { maxLength: 50 }), (scores) => {
      const falling = descendingScores(scores);
      expect(falling).toHaveLength(scores.length);
      for (let i = 1; i < falling.length; i++) {
        expect(Math.fround(falling[i]!)).toBeLessThan(Math.fround(falling[i - 1]!));
      }
    }),
  );
});
