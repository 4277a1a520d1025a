/** `maxsim index` on everything that it reads. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type CliResult, jsonLines, maxsim as runMaxsim, writeFiles } from "../support/cli.js";
import { tempFolder } from "../support/temp-folder.js";

const cwd = tempFolder();
const maxsim = (...args: string[]) => runMaxsim(args, { cwd });

interface JsonHit {
  readonly id: string;
  readonly title?: string;
  readonly metadata: object;
  readonly source: { readonly path: string; readonly line?: number };
  readonly passage: { readonly lineStart: number };
}

async function search(query: string, ...args: string[]): Promise<JsonHit[]> {
  const { status, stdout, stderr } = await maxsim("search", query, "--json", ...args);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return JSON.parse(stdout).hits;
}

const MIXED = {
  "tea.md":
    "---\ntitle: All about tea\n---\n\n# Brewing\n\nGreen leaves turn bitter in boiling water.\n\n## Kettle\n\nLet the kettle cool for five minutes.\n",
  "volcano.txt": "Gas dissolved in molten rock expands as it rises, and the pressure breaks the crust.\n",
  "guide.rst": "Growing tomatoes\n================\n\nSeedlings want warmth and light.\n",
  "page.html":
    "<!doctype html><html><head><title>Flat tyres</title><script>var secret = 1;</script></head><body><p>Glue a patch on the hole.</p></body></html>",
  "src/tasks.ts":
    "/** Stops a running task. */\nexport function cancelTask(id: string): void {\n  queue.remove(id);\n}\n",
  "birds.jsonl": jsonLines([
    { id: "heron", title: "Herons", text: "A heron stands in the reeds and waits for fish.", wings: 2 },
    { text: "A wren builds its nest in the hedge." },
  ]),
  "stars.csv": 'id,title,text\nsirius,Sirius,"The brightest star of the night, a ""double""\nstar"\n',
  "stones.tsv": "id\ttext\ngranite\tGranite is an igneous rock with quartz.\n",
  "numbers.csv": "x,y\n1,2\n",
  ".gitignore": "private/\n*.tmp\n",
  "private/diary.md": "Nobody reads this.\n",
  "scratch.tmp": "Nor this.\n",
  ".hidden.md": "Hidden things.\n",
  "latin1.txt": Buffer.from("Caf\xe9 au lait in the morning.\n", "latin1"),
  "blob.bin": Uint8Array.from({ length: 600 }, (_, i) => i % 256),
  "empty.md": "\n",
};

describe("a folder of many formats", () => {
  let first: CliResult;

  beforeAll(async () => {
    writeFiles(join(cwd, "mixed"), MIXED);
    first = await maxsim("index", "mixed", "--index", "mixed-index");
  });

  it("reports on stdout, and everything else on stderr", () => {
    expect(first.status).toBe(0);
    expect(first.stdout).toMatch(
      /^indexed 10 documents in .*\n {2}passages {7}\d+\n {2}token vectors {2}\d+\n/,
    );
    expect(first.stdout).toContain("  index          mixed-index (generation 1)\n");
    expect(first.stderr).toContain("index: mixed-index\n");
    expect(first.stderr).toContain("skipped 3 files\n");
    expect(first.stderr).toContain("  mixed/blob.bin: a binary file\n");
    expect(first.stderr).toContain("  mixed/empty.md: no text in it\n");
    expect(first.stderr).toMatch(/ {2}mixed\/numbers\.csv: a table without a column of text: .*"x", "y"/);
    expect(first.stderr).toContain("replaced invalid characters in 1 file\n  mixed/latin1.txt: 1\n");
    expect(first.stderr).toContain('ask it: maxsim search "your question" --index mixed-index\n');
    expect(first.stdout + first.stderr).not.toContain("\u001b");
  });

  it("makes a document of each file and record, but of nothing that is ignored", async () => {
    const hits = await search("everything", "--index", "mixed-index", "-k", "50");
    expect(hits.map(({ id }) => id).sort()).toEqual([
      "birds.jsonl:2",
      "granite",
      "guide.rst",
      "heron",
      "latin1.txt",
      "page.html",
      "sirius",
      "src/tasks.ts",
      "tea.md",
      "volcano.txt",
    ]);
    const of = (id: string): JsonHit => hits.find((hit) => hit.id === id)!;
    expect(of("tea.md").title).toBe("All about tea");
    expect(of("page.html").title).toBe("Flat tyres");
    expect(of("guide.rst").title).toBe("Growing tomatoes");
    expect(of("heron")).toMatchObject({
      title: "Herons",
      metadata: { wings: 2 },
      source: { path: join(cwd, "mixed", "birds.jsonl"), line: 1 },
    });
    expect(of("sirius").source).toEqual({ path: join(cwd, "mixed", "stars.csv"), line: 2 });
  });

  it("replaces documents when it runs again, with the same answers", async () => {
    cpSync(join(cwd, "mixed-index"), join(cwd, "again"), { recursive: true });
    const before = await search("stop a job", "--index", "again");
    const { status, stdout } = await maxsim("index", "mixed", "--index", "again", "--json");
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ generation: 2, documents: 10, replaced: 10 });
    expect(await search("stop a job", "--index", "again")).toEqual(before);
    const info = JSON.parse((await maxsim("info", "--index", "again", "--json")).stdout);
    expect(info).toMatchObject({ generation: 2, documents: 10 });
  });

  it("has a stable JSON form, with a silent stderr", async () => {
    const { status, stdout, stderr } = await maxsim(
      ...["index", "mixed/birds.jsonl", "mixed/blob.bin", "--index", "json-index", "--json", "--nbits", "2"],
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({
      index: join(cwd, "json-index"),
      seconds: expect.any(Number),
      generation: 1,
      documents: 2,
      replaced: 0,
      superseded: 0,
      skippedDuplicates: 0,
      resumed: 0,
      passages: 2,
      tokens: expect.any(Number),
      emptyPassages: 0,
      skipped: {
        files: [{ path: join(cwd, "mixed", "blob.bin"), reason: "a binary file" }],
        records: [],
        replaced: [],
      },
    });
  });

  it("refuses settings that the index was not made with, and adds nothing", async () => {
    for (const [option, value, message] of [
      ["--nbits", "2", `--nbits 2: the index ${join(cwd, "mixed-index")} was made with 4 bits`],
      ["--seed", "7", `--seed 7: the index ${join(cwd, "mixed-index")} was made with seed 42`],
    ] as const) {
      const { status, stdout, stderr } = await maxsim(
        "index",
        "mixed",
        "--index",
        "mixed-index",
        option,
        value,
      );
      expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
      expect(stderr).toContain(`error: ${message}\nhint: Leave the option out`);
    }
    const info = JSON.parse((await maxsim("info", "--index", "mixed-index", "--json")).stdout);
    expect(info.generation).toBe(1);
  });

  it("reads hidden and ignored files when asked to", async () => {
    const { stdout } = await maxsim(
      ...["index", "mixed", "--index", "all-index", "--hidden", "--no-gitignore", "--json"],
    );
    // And .gitignore itself.
    expect(JSON.parse(stdout).documents).toBe(14);
  });
});

describe("several roots and datasets", () => {
  it("puts the names of the folders in front, reads a BEIR folder, and passes over the index itself", async () => {
    writeFiles(join(cwd, "roots"), {
      "one/a.md": "The lighthouse keeper counts ships.\n",
      "two/a.md": "Bakers rise before dawn.\n",
      "single.txt": "A clock without hands.\n",
      "beir/corpus.jsonl": jsonLines([
        { _id: "d1", title: "Whales", text: "Whales sing under water." },
        { _id: "d2", title: "", text: "Sharks have no bones." },
      ]),
      "beir/queries.jsonl": jsonLines([{ _id: "q1", text: "songs in the sea" }]),
      "beir/qrels/test.tsv": "query-id\tcorpus-id\tscore\nq1\td1\t1\n",
    });
    const folder = join(cwd, "roots");
    const run = (...args: string[]) => runMaxsim(args, { cwd: folder });
    const { stdout, stderr } = await run("index", "one", "two", "single.txt", "beir");
    expect(stdout).toContain("indexed 5 documents");
    expect(stdout).toContain("  index          index-data/default (generation 1)\n");
    expect(stderr).not.toContain("skipped");
    const found = JSON.parse((await run("search", "songs in the sea", "--json")).stdout);
    expect(found.hits[0].id).toBe("d1");
    expect(found.hits.map(({ id }: JsonHit) => id).sort()).toEqual([
      "d1",
      "d2",
      "one/a.md",
      "single.txt",
      "two/a.md",
    ]);
    // Its folders are known by now: they keep their ids, and the BEIR folder is read as one.
    const whole = JSON.parse((await run("index", ".", "--json")).stdout);
    expect(whole).toMatchObject({ documents: 5, replaced: 5, skipped: { files: [] } });
    const apart = await run("index", ".", "--json", "--index", "index-data/apart");
    expect(JSON.parse(apart.stdout)).toMatchObject({
      documents: 6,
      skipped: {
        files: [
          {
            path: join(folder, "beir/qrels/test.tsv"),
            reason: expect.stringContaining("without a column of text"),
          },
          { path: join(folder, "index-data/default"), reason: "the folder of an index" },
        ],
      },
    });
  });

  it("takes text, id and title from the columns that it is told", async () => {
    writeFiles(cwd, {
      "products.csv": "sku,name,description\nA1,Kettle,Boils water quickly\nB2,Lamp,Lights a dark room\n",
    });
    const { status, stdout } = await maxsim(
      ...["index", "products.csv", "--text-column", "description", "--id-column", "sku"],
      ...["--title-column", "name", "--index", "products-index"],
    );
    expect(status).toBe(0);
    expect(stdout).toContain("indexed 2 documents");
    const [best] = await search("make tea", "--index", "products-index");
    expect(best).toMatchObject({ id: "A1", title: "Kettle", source: { line: 2 } });
  });

  it("counts malformed records instead of stopping with --skip-invalid", async () => {
    writeFiles(cwd, {
      "some.jsonl":
        '{"id":"a","text":"A heron in the reeds"}\n{"id":"b","text":\n[1]\n{"id":"c"}\n{"id":"x\\ud800","text":"t"}\n',
    });
    const { status, stdout, stderr } = await maxsim(
      "index",
      "some.jsonl",
      "--skip-invalid",
      "--index",
      "some-index",
    );
    expect(status).toBe(0);
    expect(stdout).toContain("indexed 1 document in");
    expect(stderr).toContain("skipped 4 malformed records\n  some.jsonl:2: not JSON: ");
    expect(stderr).toContain("  some.jsonl:3: a JSON object was expected, found an array of 1\n");
    expect(stderr).toContain('  some.jsonl:4: no field "text", found "id"\n');
    expect(stderr).toMatch(/ {2}some\.jsonl:5: "id": .*lone surrogate/);
  });
});
