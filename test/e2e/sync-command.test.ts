/** `maxsim sync` on a folder of notes that `maxsim index` has read. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { jsonLines, maxsim as runMaxsim, writeFiles } from "../support/cli.js";
import { tempFolder } from "../support/temp-folder.js";

const cwd = tempFolder();
const maxsim = (...args: string[]) => runMaxsim(args, { cwd });
const NOTHING = { added: [], changed: [], renamed: [], touched: [], removed: [], kept: [] };
const NO_DOCUMENTS = { added: 0, changed: 0, updated: 0, removed: 0 };

async function json(...args: string[]) {
  const { status, stdout, stderr } = await maxsim(...args, "--json");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return JSON.parse(stdout);
}

describe("a folder of notes", () => {
  beforeAll(async () => {
    writeFiles(join(cwd, "notes"), {
      "tea.md": "# Brewing\n\nGreen leaves turn bitter in boiling water.\n",
      "garden/tomatoes.md": "Seedlings want warmth and light.\n",
      "garden/old.md": "Pinch out the side shoots.\n",
      "birds.jsonl": jsonLines([
        { id: "heron", text: "A heron stands in the reeds.", wings: 2 },
        { text: "A wren builds its nest in the hedge." },
      ]),
    });
    writeFiles(cwd, { "README.md": "How all of this is kept.\n" });
    const { status, stderr } = await maxsim("index", "notes", "README.md");
    expect({ status, stderr }).toMatchObject({ status: 0 });
  });

  it("is up to date after it was indexed, and nothing is written", async () => {
    expect(await json("sync")).toEqual({
      index: join(cwd, "index-data/default"),
      seconds: expect.any(Number),
      generation: 1,
      dryRun: false,
      ...NOTHING,
      unchanged: 5,
      documents: NO_DOCUMENTS,
      passages: 0,
      tokens: 0,
      resumed: 0,
      skipped: { files: [], records: [], replaced: [] },
    });
    const { status, stdout, stderr } = await maxsim("sync", "notes");
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^synced 4 files in .*\n {2}unchanged {2}4 files\n {2}index .* \(generation 1\)\n$/,
    );
    expect(stderr).toBe("index: index-data/default\n");
  });

  it("shows what it would do, does it, and searches find it", async () => {
    writeFiles(join(cwd, "notes"), {
      "volcano.txt": "Gas dissolved in molten rock expands as it rises.\n",
      "tea.md": "# Brewing\n\nLet the kettle cool for five minutes.\n",
      "birds.jsonl": jsonLines([
        { text: "An owl hears mice under the snow." },
        { id: "heron", text: "A heron stands in the reeds.", wings: 3 },
        { text: "A wren builds its nest in the hedge." },
      ]),
    });
    rmSync(join(cwd, "notes/garden/old.md"));
    renameSync(join(cwd, "notes/garden/tomatoes.md"), join(cwd, "notes/Tomatoes.md"));
    const marked =
      "+ notes/volcano.txt\n~ notes/birds.jsonl\n~ notes/tea.md\n> notes/garden/tomatoes.md -> notes/Tomatoes.md\n- notes/garden/old.md\n";
    const rows = (action: string, generation: number): string =>
      [
        "  added      1 file",
        "  changed    2 files",
        "  renamed    1 file",
        "  removed    1 file",
        "  unchanged  1 file",
        "  documents  2 added, 1 changed, 3 updated without encoding, 1 removed",
        `  ${action.padEnd(9)}  3 passages`,
        `  index      index-data/default (generation ${generation})`,
        "",
      ].join("\n");
    const dry = await maxsim("sync", "--dry-run");
    expect(dry).toMatchObject({
      status: 0,
      stdout: `${marked}dry run, nothing was written\n${rows("to encode", 1)}`,
    });
    const wet = await maxsim("sync", "--verbose");
    expect(wet.status).toBe(0);
    expect(wet.stdout.replace(/in [\d.]+ m?s\n/, "in no time\n")).toBe(
      `${marked}synced 6 files in no time\n${rows("encoded", 2)}`,
    );
    const { hits } = await json("search", "night birds that hunt", "-k", "50");
    expect(hits[0].id).toBe("notes/birds.jsonl:1");
    expect(hits.map(({ id }: { id: string }) => id).sort()).toEqual([
      "README.md",
      "heron",
      "notes/Tomatoes.md",
      "notes/birds.jsonl:1",
      "notes/birds.jsonl:3",
      "notes/tea.md",
      "notes/volcano.txt",
    ]);
    expect(await json("sync")).toMatchObject({ generation: 2, ...NOTHING, unchanged: 5 });
  });

  it("refuses to empty an index by mistake", async () => {
    renameSync(join(cwd, "notes"), join(cwd, "elsewhere"));
    const gone = await maxsim("sync");
    expect(gone).toMatchObject({ status: 1, stdout: "" });
    expect(gone.stderr).toContain(
      `error: ${join(cwd, "notes")} is gone, from which the index has 4 files\nhint: `,
    );
    mkdirSync(join(cwd, "notes"));
    const empty = await maxsim("sync", "notes");
    expect(empty).toMatchObject({ status: 1, stdout: "" });
    expect(empty.stderr).toContain("--allow-empty");
    rmSync(join(cwd, "notes"), { recursive: true });
    renameSync(join(cwd, "elsewhere"), join(cwd, "notes"));
    expect(await json("sync")).toMatchObject({ generation: 2, ...NOTHING });
  });

  it("is told how to read, and remembers it", async () => {
    writeFileSync(join(cwd, "notes/.hidden.md"), "A hidden thought.\n");
    expect(await json("sync", "notes", "--hidden")).toMatchObject({ added: [join(cwd, "notes/.hidden.md")] });
    expect(await json("sync")).toMatchObject(NOTHING);
    expect(await json("sync", "notes", "--no-hidden")).toMatchObject({
      removed: [join(cwd, "notes/.hidden.md")],
    });
  });
});

it("an index that is not there, and one that remembers nothing, say what to do", async () => {
  const missing = await maxsim("sync", "--index", "nowhere");
  expect(missing).toMatchObject({ status: 1, stdout: "" });
  expect(missing.stderr).toContain("hint: Build one with: maxsim index <paths...> --index nowhere\n");
});
