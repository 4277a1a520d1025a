/** Small indexes for the tests of the catalog. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Catalog, type CatalogChange } from "../../../src/documents/catalog.js";
import type {
  CodecRecord,
  FileRecord,
  IndexSettings,
  SegmentRecord,
} from "../../../src/documents/records.js";
import { Staging } from "../../../src/documents/staging.js";
import type { DocumentInput } from "../../../src/documents/types.js";
import { type FileType, publishedName } from "../../../src/storage/file-names.js";
import type { PassageSpan } from "../../../src/text/types.js";

export const INDEX_ID = "0123456789abcdef0123456789abcdef";

export const SETTINGS: IndexSettings = {
  dim: 8,
  nbits: 4,
  seed: 42,
  model: { name: "tiny", fingerprint: "f".repeat(64) },
  options: { overlap: 1, nested: { b: [1, 2], a: null } },
};

/** Runs `work` in a folder that is removed afterwards. */
export async function inFolder<T>(work: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "maxsim-test-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function fakeFile(type: FileType, seed: string): FileRecord {
  const sha256 = createHash("sha256").update(seed).digest("hex");
  const fileId = sha256.slice(0, 32);
  return { name: publishedName(type, fileId), length: 1000 + seed.length, crc32: 0xdeadbeef, sha256, fileId };
}

export function fakeCodec(codecNo: number): CodecRecord {
  return { codecNo, baseCodecNo: null, file: fakeFile("codec", `codec ${codecNo}`), centroids: 16 };
}

/** One passage for each blank-line separated block of the text. */
export function splitBlocks(document: DocumentInput): PassageSpan[] {
  const spans: PassageSpan[] = [];
  let start = 0;
  let line = 1;
  for (const block of document.text.split("\n\n")) {
    const lineEnd = line + block.split("\n").length - 1;
    spans.push({
      start,
      end: start + block.length,
      lineStart: line,
      lineEnd,
      context: document.title ?? "",
    });
    start += block.length + 2;
    line = lineEnd + 1;
  }
  return spans;
}

/** Adds documents in one generation with one segment; tokens of a passage = length of its text. */
export function addDocuments(
  folder: string,
  catalog: Catalog,
  inputs: Iterable<DocumentInput>,
  deleteDocuments: readonly number[] = [],
  more: Pick<CatalogChange, "roots" | "sources"> = {},
): number {
  const base = catalog.snapshot();
  const staging = Staging.create(folder, {
    firstDocument: base.nextDocument,
    firstPassage: base.nextPassage,
  });
  try {
    for (const input of inputs) staging.addDocument(input, splitBlocks(input));
    let tokens = 0;
    let next = base.nextPassage;
    for (;;) {
      const batch = staging.readPassages(next, 7);
      if (batch.length === 0) break;
      staging.setTokens(batch.map(({ passageNo, text }) => ({ passageNo, tokens: text.length })));
      tokens += batch.reduce((sum, { text }) => sum + text.length, 0);
      next += batch.length;
    }
    const segmentNo = base.generation;
    const segment: SegmentRecord = {
      segmentNo,
      file: fakeFile("segment", `segment ${segmentNo}`),
      codecNo: 0,
      firstPassage: base.nextPassage,
      lastPassage: base.nextPassage + staging.passages - 1,
      passages: staging.passages,
      tokens,
    };
    return catalog.commit({
      operation: "add",
      staging,
      segments: staging.passages > 0 ? [segment] : [],
      deleteDocuments,
      ...more,
      ...(base.codec === null ? { codec: fakeCodec(0) } : {}),
    });
  } finally {
    staging.remove();
  }
}

/** Documents with one to three passages, title, url, metadata and source in turns. */
export function makeDocuments(count: number, prefix = "doc"): DocumentInput[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `${prefix}-${i}`,
    text: Array.from({ length: 1 + (i % 3) }, (_, j) => `Passage ${j} of ${prefix} ${i}: żółw 🐢\nnext`).join(
      "\n\n",
    ),
    ...(i % 2 === 0 ? { title: `Title ${i}` } : {}),
    ...(i % 3 === 0 ? { url: `https://example.org/${i}` } : {}),
    ...(i % 4 === 0 ? { metadata: { number: i, tags: ["a", "b"], deep: { yes: true, no: null } } } : {}),
    ...(i % 5 === 0 ? { source: { path: "corpus.jsonl", line: i + 1 } } : {}),
  }));
}

export function smallCatalog(folder: string): Catalog {
  const catalog = Catalog.create(folder, { indexId: INDEX_ID, settings: SETTINGS });
  addDocuments(folder, catalog, makeDocuments(40));
  const file = { rootNo: 1, size: 9, modified: 1700000000123, sha256: "ab".repeat(32) };
  addDocuments(folder, catalog, makeDocuments(20, "more"), [3, 7, 4], {
    roots: { add: [{ rootNo: 1, path: "/notes", prefix: "", options: { hidden: true } }], drop: [] },
    sources: { add: ["/notes/a.md", "/notes/b.md"].map((path) => ({ ...file, path })), drop: [] },
  });
  return catalog;
}
