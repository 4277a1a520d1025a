import { spawnSync } from "node:child_process";
import { readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { Index } from "../../src/index.js";
import { selectKernels } from "../../src/kernels/select.js";
import { SyntheticCorpus } from "../support/synthetic.js";
import { temporaryFolders } from "../support/temp-folder.js";

const DIM = 32;
const newFolder = temporaryFolders();
const corpus = new SyntheticCorpus({ passages: 60, tokens: 20, dim: DIM });
const query = corpus.query(17, 5);
const documents = corpus.passages.map(({ vectors }, i) => ({ id: `d${i}`, vectors }));
const reason =
  selectKernels().mapper === undefined || process.platform !== "linux"
    ? "files are not mapped here"
    : undefined;
let folder: string;

async function build(path: string): Promise<void> {
  await using index = await Index.create(path, { model: null, dim: DIM });
  await index.addEmbeddings(documents.slice(0, 40));
  await index.addEmbeddings(documents.slice(40));
  await index.delete(["d3"]);
}

const descriptors = (): number => readdirSync("/proc/self/fd").length;
const ids = async (index: Index): Promise<string[]> =>
  (await index.searchEmbeddings(query, { k: 60 })).hits.map(({ id }) => id);

beforeAll(async () => {
  folder = await newFolder();
  await build(folder);
});

describe.skipIf(reason)(`an index of mapped files${reason === undefined ? "" : ` (${reason})`}`, () => {
  it("gives every descriptor back when it is closed", async () => {
    await (await Index.open(folder)).close();
    const before = descriptors();
    for (let i = 0; i < 50; i++) {
      await using index = await Index.open(folder);
      if (i === 0) expect(descriptors()).toBeGreaterThan(before);
      if (i % 10 === 0) expect(await ids(index)).toHaveLength(59);
    }
    expect(descriptors()).toBe(before);
  });

  it("survives that another object of the same folder is closed", async () => {
    await using one = await Index.open(folder);
    const other = await Index.open(folder);
    const expected = await ids(other);
    await other.close();
    await expect(ids(other)).rejects.toMatchObject({ code: "CLOSED" });
    expect(await ids(one)).toEqual(expected);
  });

  it("refuses a search once one of its files was cut short", async () => {
    const path = await newFolder();
    await build(path);
    await using index = await Index.open(path);
    expect(await ids(index)).toHaveLength(59);
    const names = readdirSync(join(path, "segments"));
    const file = join(path, "segments", names[0]!);
    truncateSync(file, statSync(file).size - 4096);
    await expect(ids(index)).rejects.toMatchObject({
      code: "CORRUPT",
      message: expect.stringContaining(names[0]!),
    });
  });

  it("answers as one does that is read into memory", async () => {
    await using index = await Index.open(folder);
    const main = new URL("../../dist/index.js", import.meta.url);
    const code = `
      import { Index } from ${JSON.stringify(main.href)};
      const index = await Index.open(process.argv[1]);
      const { hits } = await index.searchEmbeddings(new Float32Array(JSON.parse(process.argv[2])), { k: 60 });
      console.log(JSON.stringify(hits.map(({ id, score }) => [id, score])));
      await index.close();
    `;
    const args = ["--input-type=module", "--eval", code, folder, JSON.stringify([...query])];
    const { stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: fileURLToPath(new URL("../..", import.meta.url)),
      encoding: "utf8",
      env: { ...process.env, MAXSIM_KERNELS: "js" },
    });
    expect(stderr).toBe("");
    const { hits } = await index.searchEmbeddings(query, { k: 60 });
    expect(JSON.parse(stdout)).toEqual(hits.map(({ id, score }) => [id, score]));
  });
});
