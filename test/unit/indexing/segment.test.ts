import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Codec } from "../../../src/codec/codec.js";
import { decodeCodecFile, writeCodecFile } from "../../../src/codec/codec-file.js";
import { readPostings } from "../../../src/codec/postings.js";
import { trainCodec } from "../../../src/codec/train.js";
import { decodeSegment, inGeneration, type SegmentIdentity } from "../../../src/indexing/segment.js";
import { SegmentWriter, type WrittenSegment } from "../../../src/indexing/segment-writer.js";
import type { CompressedTokens } from "../../../src/kernels/backend.js";
import { quantizeVectors } from "../../../src/kernels/pack.js";
import { referenceBackend } from "../../../src/kernels/reference.js";
import type { SectionFile } from "../../../src/storage/section-file.js";
import { readSectionFile } from "../../../src/storage/section-reader.js";
import type { FileSummary } from "../../../src/storage/section-writer.js";
import { SectionFileWriter } from "../../../src/storage/section-writer.js";
import { SyntheticCorpus } from "../../support/synthetic.js";
import { tempFolder } from "../../support/temp-folder.js";

const DIM = 16;
const INDEX_ID = "0123456789abcdef0123456789abcdef";
const folder = tempFolder();
const lengths = [5, 0, 12, 1, 7];
const documents = [10, 10, 11, 12, 12];
let codec: Codec;
let compressed: CompressedTokens[];
let codecFile: FileSummary;
let written: WrittenSegment;
let identity: SegmentIdentity;

beforeAll(async () => {
  const corpus = new SyntheticCorpus({ passages: 1, tokens: 25, dim: DIM, vocabulary: 30 });
  const { vectors, tokenIds } = corpus.passages[0]!;
  const all = quantizeVectors(vectors, 25, DIM);
  codec = trainCodec({ vectors: all, tokenIds, heldOut: 0, nbits: 2, seed: 1, budget: 20 }, referenceBackend);
  codecFile = await writeCodecFile(folder, INDEX_ID, codec);
  const writer = await SegmentWriter.create(folder, INDEX_ID, codec);
  compressed = [];
  let at = 0;
  for (const [p, count] of lengths.entries()) {
    const part = quantizeVectors(vectors.slice(at * DIM, (at + count) * DIM), count, DIM);
    const tokens = codec.encode(part, tokenIds.slice(at, at + count), referenceBackend);
    compressed.push(tokens);
    await writer.add(100 + p, documents[p]!, tokens);
    at += count;
  }
  written = await writer.finish();
  const centroids = codec.codebook.size;
  identity = { firstPassage: 100, lastPassage: 104, passages: 5, tokens: 25, centroids };
});

const open = (type: "segment" | "codec", { name, fileId, length }: FileSummary): Promise<SectionFile> =>
  readSectionFile(join(folder, name), { type, indexId: INDEX_ID, fileId, length });

describe("a segment file", () => {
  it("gives back every passage", async () => {
    expect(written).toMatchObject({ passages: 5, tokens: 25 });
    const segment = decodeSegment(await open("segment", written.file), codec, identity, []);
    expect([...segment.documents]).toEqual(documents);
    expect([...segment.offsets]).toEqual([0, 5, 5, 17, 18, 25]);
    expect([...segment.compressed.codes]).toEqual(compressed.flatMap(({ codes }) => [...codes]));
    expect([...segment.compressed.inverseNorms]).toEqual(
      compressed.flatMap(({ inverseNorms }) => [...inverseNorms]),
    );
    expect([...segment.compressed.residuals]).toEqual(compressed.flatMap(({ residuals }) => [...residuals]));
    const list = new Uint32Array(5);
    for (let k = 0; k < codec.codebook.size; k++) {
      const [from, to] = [segment.postingOffsets[k]!, segment.postingOffsets[k + 1]!];
      const count = readPostings(segment.postings, from, to, 5, list, "test");
      const expected = compressed.flatMap(({ codes }, p) => (codes.includes(k) ? [p] : []));
      expect([...list.subarray(0, count)]).toEqual(expected);
    }
  });

  it("has the same name and bytes when it is written again", async () => {
    const writer = await SegmentWriter.create(folder, INDEX_ID, codec);
    for (const [p, tokens] of compressed.entries()) await writer.add(100 + p, documents[p]!, tokens);
    expect((await writer.finish()).file).toEqual(written.file);
  });

  it("marks the passages of deleted documents", async () => {
    const file = await open("segment", written.file);
    const marks = (deleted: Array<[number, number]>) => decodeSegment(file, codec, identity, deleted).dead;
    expect(marks([])).toBeNull();
    expect(marks([[0, 100]])).toBeNull();
    expect([...marks([[90, 12]])!]).toEqual([1, 1, 0, 0, 0]);
    expect([...marks([[103, 50]])!]).toEqual([0, 0, 0, 1, 1]);
    const segment = decodeSegment(file, codec, identity, [[100, 1]]);
    expect([...inGeneration(segment, codec, [[102, 1]]).dead!]).toEqual([0, 0, 1, 0, 0]);
  });

  it.each<[string, Partial<SegmentIdentity>, string]>([
    ["passages", { passages: 6 }, "6 passages"],
    ["tokens", { tokens: 24 }, "24 tokens"],
  ])("that disagrees with the catalog about %s is refused by name", async (_, wrong, words) => {
    const file = await open("segment", written.file);
    expect(() => decodeSegment(file, codec, { ...identity, ...wrong }, [])).toThrowError(
      expect.objectContaining({
        code: "CORRUPT",
        message: expect.stringMatching(`${written.file.fileId}.*${words}`),
      }),
    );
  });

  it("written with another codec is refused", async () => {
    const other = { ...codec.codebook, size: codec.codebook.size - 1 };
    const smaller = Object.assign(Object.create(Object.getPrototypeOf(codec)), codec, { codebook: other });
    const file = await open("segment", written.file);
    expect(() => decodeSegment(file, smaller, identity, [])).toThrowError(
      expect.objectContaining({ code: "CORRUPT", message: expect.stringContaining("centroids") }),
    );
  });
});

/** A file whose checksums are right and whose content is not. */
async function lie(
  type: "segment" | "codec",
  source: SectionFile,
  change: (tag: string, bytes: Uint8Array) => Uint8Array,
): Promise<SectionFile> {
  const file = await SectionFileWriter.create(folder, { type, indexId: INDEX_ID });
  for (const tag of source.tags) {
    const elementSize = ([1, 2, 4, 8] as const).find((size) => {
      try {
        source.section(tag, size);
        return true;
      } catch (error) {
        if (size === 8) throw error;
        return false;
      }
    })!;
    const { offset, byteLength } = source.section(tag, elementSize);
    file.section(tag, elementSize);
    await file.append(change(tag, new Uint8Array(source.buffer, offset, byteLength).slice()));
  }
  return open(type, await file.finish());
}

const setU32 = (bytes: Uint8Array, i: number, value: number): Uint8Array => {
  new DataView(bytes.buffer).setUint32(4 * i, value, true);
  return bytes;
};

describe("lies with valid checksums", () => {
  it.each<[string, string, (bytes: Uint8Array) => Uint8Array]>([
    ["a code beyond the codebook", "codes", (b) => b.fill(255, 0, 2)],
    ["lengths that do not sum", "lengths", (b) => setU32(b, 0, 6)],
    ["absurd lengths", "lengths", (b) => setU32(b, 0, 0xffffffff)],
    ["a missing norm", "norms", (b) => b.subarray(2)],
    ["a longer residual section", "residual", (b) => Uint8Array.of(...b, 0)],
    ["posting offsets that go back", "postoff", (b) => setU32(b, 1, 0xffff)],
    ["posting offsets that do not start at 0", "postoff", (b) => setU32(b, 0, 1)],
    ["cut posting lists", "postings", (b) => b.subarray(1)],
    ["another dimension", "info", (b) => setU32(b, 1, 0)],
    ["a bit depth of 3", "info", (b) => setU32(b, 2, 3)],
    ["a count of 2^32 - 1", "info", (b) => setU32(b, 0, 0xffffffff)],
    ["tokens of 2^53", "info", (b) => setU32(b, 6, 1 << 21)],
  ])("in a segment, %s, are CORRUPT", async (_, target, change) => {
    const source = await open("segment", written.file);
    const file = await lie("segment", source, (tag, bytes) => (tag === target ? change(bytes) : bytes));
    expect(() => decodeSegment(file, codec, identity, [])).toThrowError(
      expect.objectContaining({ code: "CORRUPT", message: expect.stringContaining(file.fileId) }),
    );
  });

  it.each<[string, string, (bytes: Uint8Array) => Uint8Array]>([
    ["dimension 0", "info", (b) => setU32(b, 0, 0)],
    ["dimension 65536", "info", (b) => setU32(b, 0, 65_536)],
    ["3 bits", "info", (b) => setU32(b, 1, 3)],
    ["no centroids", "info", (b) => setU32(b, 2, 0)],
    ["2^32 - 1 centroids", "info", (b) => setU32(b, 2, 0xffffffff)],
    ["more groups than there are", "info", (b) => setU32(b, 3, 1000)],
    ["a weight scale that is not a number", "info", (b) => setU32(b, 4, 0x7fc00000)],
    ["a centroid value of 0", "centroid", (b) => b.fill(0, 3, 4)],
    ["a centroid value of 128", "centroid", (b) => b.fill(128, 3, 4)],
    ["an infinite scale", "cscales", (b) => setU32(b, 0, 0x7f800000)],
    ["descending cutoffs", "cutoffs", (b) => setU32(b, 0, 0x41200000)],
    ["a cutoff that is not a number", "cutoffs", (b) => setU32(b, 1, 0x7fc00000)],
    ["a group beyond the codebook", "groups", (b) => setU32(b, 2, 0x7fffffff)],
    ["an empty group", "groups", (b) => setU32(b, 2, 0)],
    ["groups out of order", "groups", (b) => setU32(b, 0, 0xffffffff)],
  ])("in a codec, %s, are CORRUPT", async (_, target, change) => {
    const source = await open("codec", codecFile);
    const file = await lie("codec", source, (tag, bytes) => (tag === target ? change(bytes) : bytes));
    expect(() => decodeCodecFile(file)).toThrowError(
      expect.objectContaining({ code: "CORRUPT", message: expect.stringContaining(file.fileId) }),
    );
  });
});

describe("a codec file", () => {
  it("gives back the codec", async () => {
    const again = decodeCodecFile(await open("codec", codecFile));
    expect([...again.codebook.values]).toEqual([...codec.codebook.values]);
    expect([...again.codebook.scales]).toEqual([...codec.codebook.scales]);
    expect([...again.quantizer.cutoffs]).toEqual([...codec.quantizer.cutoffs]);
    expect([...again.quantizer.weights]).toEqual([...codec.quantizer.weights]);
    expect(again.quantizer.weightScale).toBe(codec.quantizer.weightScale);
    expect(again.tokenGroups.groups).toEqual(codec.tokenGroups.groups);
  });
});
