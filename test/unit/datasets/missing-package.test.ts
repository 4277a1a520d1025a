/** Files whose optional package is not there. */
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { type CorpusItem, readCorpus } from "../../../src/datasets/corpus.js";
import { pdfFile } from "../../support/pdf-file.js";
import { tempFolder } from "../../support/temp-folder.js";

const missing = vi.hoisted(() => (name: string) => () => {
  throw Object.assign(new Error(`Cannot find package '${name}'`), { code: "ERR_MODULE_NOT_FOUND" });
});
vi.mock("unpdf", missing("unpdf"));
vi.mock("hyparquet", missing("hyparquet"));

const folder = tempFolder();

async function read(path: string): Promise<CorpusItem[]> {
  const items: CorpusItem[] = [];
  for await (const item of readCorpus([path])) items.push(item);
  return items;
}

test("are named with what to install, and the rest is read", async () => {
  writeFileSync(join(folder, "a.pdf"), pdfFile([["A text."]]));
  copyFileSync(
    fileURLToPath(new URL("../../fixtures/parquet/zstd.parquet", import.meta.url)),
    join(folder, "b.parquet"),
  );
  writeFileSync(join(folder, "c.txt"), "A text.");
  const reason = (what: string) =>
    expect.stringMatching(new RegExp(`needs the package ${what}.*Run \`npm install ${what}\`$`));
  expect(await read(folder)).toMatchObject([
    { kind: "skipped", path: join(folder, "a.pdf"), failed: true, reason: reason("unpdf") },
    { kind: "skipped", path: join(folder, "b.parquet"), failed: true, reason: reason("hyparquet") },
    { kind: "document", document: { id: "c.txt" } },
  ]);
  await expect(read(join(folder, "b.parquet"))).rejects.toMatchObject({ code: "PACKAGE_MISSING" });
});
