/** `maxsim verify` and `maxsim repair`. */
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { maxsim as runMaxsim, writeFiles } from "../support/cli.js";
import { flip, sql } from "../support/damage.js";
import { tempFolder } from "../support/temp-folder.js";

const cwd = tempFolder();
const maxsim = (...args: string[]) => runMaxsim(args, { cwd });
const segment = (): string =>
  join(cwd, "index-data/default/segments", readdirSync(join(cwd, "index-data/default/segments"))[0]!);

beforeAll(async () => {
  writeFiles(cwd, {
    "notes/a.md": "# Heron\n\nA heron stands in the reeds.\n",
    "notes/b.md": "An owl at night.\n",
  });
  expect(await maxsim("index", "notes")).toMatchObject({ status: 0 });
});

describe("verify", () => {
  it("says that all is well in one line", async () => {
    const { status, stdout, stderr } = await maxsim("verify");
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^ok: 2 documents, 2 passages, \d+ token vectors, 3 files with .*B, 2 searches; checked in .*\n$/,
    );
    expect(stderr).toMatch(/^index: index-data\/default\ncheck {2}/);
    const json = await maxsim("verify", "--deep", "--json");
    expect(json).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: true, deep: true, documents: 2, problems: [] });
  });

  it("names what is wrong, one line each, and ends with status 1", async () => {
    flip(segment(), 900);
    writeFileSync(join(cwd, "index-data/default/segments/stray.txt"), "");
    const { status, stdout, stderr } = await maxsim("verify", "--verbose");
    expect(status).toBe(1);
    expect(stdout).toMatch(
      /^segments\/[0-9a-f]{32}\.segment:0: expected a block with the CRC \d+, found \d+\n$/,
    );
    expect(stderr).toMatch(/not of this generation: segments\/stray\.txt\n/);
    expect(stderr).toMatch(/error: 1 problem in the index .*\nhint: .*maxsim repair --dry-run\n/);
    const missing = await maxsim("verify", "--index", "nothing");
    expect(missing).toMatchObject({ status: 1, stdout: "" });
    expect(missing.stderr).toMatch(/hint: Build one with: maxsim index <paths\.\.\.> --index nothing/);
  });
});

describe("repair", () => {
  it("mends what verify found, after telling how", async () => {
    const dry = await maxsim("repair", "--dry-run");
    expect(dry).toMatchObject({ status: 0 });
    expect(dry.stdout).toMatch(
      /^would mend {2}segments\/.*: 2 passages are encoded again from their texts\ncan be mended: 1 problem, 2 passages encoded again \(generation 1\)\n$/,
    );
    const done = await maxsim("repair");
    expect(done).toMatchObject({ status: 0 });
    expect(done.stdout).toMatch(
      /^mended {2}segments\/.*byte for byte what it was\nthe index is sound again: 1 problem, 2 passages encoded again \(generation 2\)\n$/,
    );
    const again = await maxsim("repair");
    expect(again).toMatchObject({ status: 0, stdout: "ok: nothing is damaged (generation 2)\n" });
    expect(await maxsim("verify")).toMatchObject({ status: 0 });
  });

  it("gives nothing up unasked, and lists what is lost", async () => {
    sql(join(cwd, "index-data/default"), "UPDATE texts SET text = 'x' WHERE document_no = 1");
    const asked = await maxsim("repair");
    expect(asked.status).toBe(1);
    expect(asked.stdout).toMatch(/^damaged {2}catalog\.sqlite: row 1 of texts does not match its checksum\n/);
    expect(asked.stderr).toMatch(/hint: .*maxsim repair --drop-damaged --dry-run\n$/);
    const dropped = await maxsim("repair", "--drop-damaged", "--json");
    expect(dropped).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(dropped.stdout)).toMatchObject({
      ok: true,
      generation: 3,
      lost: [{ documentNo: 1, id: expect.stringMatching(/\.md$/) }],
    });
  });

  it("asks for a rebuild when the codec is lost", async () => {
    rmSync(join(cwd, "index-data/default/codecs"), { recursive: true });
    const asked = await maxsim("repair");
    expect(asked.status).toBe(1);
    expect(asked.stderr).toMatch(/hint: .*maxsim repair --rebuild\n$/);
    expect(await maxsim("repair", "--rebuild")).toMatchObject({ status: 0 });
    const { stdout } = await maxsim("search", "heron", "--json");
    expect(JSON.parse(stdout).hits).toHaveLength(1);
  });
});
