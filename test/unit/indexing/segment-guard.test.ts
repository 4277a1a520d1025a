import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { Codec } from "../../../src/codec/codec.js";
import { attachCodec, describeCodec } from "../../../src/codec/codec-description.js";
import { decodeCodecFile, writeCodecFile } from "../../../src/codec/codec-file.js";
import { TokenGroups } from "../../../src/codec/token-groups.js";
import { Random } from "../../../src/common/random.js";
import { decodeSegment, type Segment, type SegmentIdentity } from "../../../src/indexing/segment.js";
import { SegmentWriter } from "../../../src/indexing/segment-writer.js";
import { packQuery, packWeights } from "../../../src/kernels/pack.js";
import { referenceBackend } from "../../../src/kernels/reference.js";
import { attachSnapshot, describeSnapshot } from "../../../src/search/snapshot-description.js";
import type { SearchSnapshot } from "../../../src/search/types.js";
import { type ReadOptions, readSectionFile } from "../../../src/storage/section-reader.js";
import type { FileSummary } from "../../../src/storage/section-writer.js";
import { memorySnapshot } from "../../support/built-segments.js";
import { mapper } from "../../support/mapper.js";
import { tempFolder } from "../../support/temp-folder.js";

const INDEX_ID = "0123456789abcdef0123456789abcdef";
const DIM = 16;
const CENTROIDS = 256;
const PASSAGES = 2000;
const LENGTH = 40;
const TOKENS = PASSAGES * LENGTH;
const BLOCK = 65536;
const folder = tempFolder();
const identity: SegmentIdentity = {
  firstPassage: 0,
  lastPassage: PASSAGES - 1,
  passages: PASSAGES,
  tokens: TOKENS,
  centroids: CENTROIDS,
};
let codec: Codec;
let codecFile: FileSummary;
let segmentFile: FileSummary;

/** Codes 160 KB, norms 160 KB, residuals 320 KB, posting lists some 80 KB: several blocks each. */
beforeAll(async () => {
  const random = new Random(3);
  const bytes = (count: number, from: number, to: number): Uint8Array =>
    Uint8Array.from({ length: count }, () => from + random.below(to - from));
  codec = new Codec(
    {
      size: CENTROIDS,
      dim: DIM,
      values: bytes(CENTROIDS * DIM, 1, 128),
      scales: new Float32Array(CENTROIDS).fill(0.004),
    },
    {
      nbits: 2,
      cutoffs: Float32Array.of(-0.1, 0, 0.1),
      ...packWeights(Float32Array.of(-0.15, -0.05, 0.05, 0.15)),
    },
    new TokenGroups([{ tokenId: 7, first: 0, count: 3 }]),
  );
  codecFile = await writeCodecFile(folder, INDEX_ID, codec);
  const writer = await SegmentWriter.create(folder, INDEX_ID, codec);
  for (let p = 0; p < PASSAGES; p++) {
    await writer.add(p, p, {
      codes: Uint16Array.from({ length: LENGTH }, () => random.below(CENTROIDS)),
      residuals: bytes(LENGTH * codec.residualBytes, 0, 256),
      inverseNorms: new Uint16Array(LENGTH).fill(0x3c00),
    });
  }
  segmentFile = (await writer.finish()).file;
});

async function open(options: ReadOptions, path = join(folder, segmentFile.name)): Promise<Segment> {
  const expected = { type: "segment", indexId: INDEX_ID, length: segmentFile.length } as const;
  return decodeSegment(await readSectionFile(path, expected, options), codec, identity, [[100, 3]]);
}

const openLarge = (path?: string): Promise<Segment> => open({ mapper, verifyWhole: 0 }, path);

/** A copy whose byte `at` of a section has a flipped bit; also the number of the block that holds it. */
async function damaged(tag: string, elementSize: 1 | 2, at: number): Promise<[path: string, block: number]> {
  const source = join(folder, segmentFile.name);
  const { file } = await open({});
  const { offset } = file!.section(tag, elementSize);
  const bytes = readFileSync(source);
  bytes[offset + at]! ^= 1;
  const path = join(folder, `damaged-${tag}`);
  writeFileSync(path, bytes);
  return [path, Math.floor((offset + at) / BLOCK)];
}

const corruptAt = (path: string, block: number) =>
  expect.objectContaining({
    code: "CORRUPT",
    message: expect.stringContaining(`${path} is damaged at byte ${block * BLOCK}`),
  });

const reason = mapper === undefined ? "no addon that maps files is built" : undefined;

describe.skipIf(reason)(`a large mapped segment${reason === undefined ? "" : ` (${reason})`}`, () => {
  // In the middle of each section: its first and last blocks are shared with its neighbours, which are read at open.
  const far = PASSAGES / 2;

  it("finds damaged codes when they are about to be read", async () => {
    const [path, block] = await damaged("codes", 2, far * LENGTH * 2);
    const segment = await openLarge(path);
    segment.ensureCodes(Uint32Array.of(0, 1, 2));
    segment.ensureTokens(Uint32Array.of(0, 1, 2));
    segment.ensureCodes(Uint32Array.of(0, far), 0, 1);
    segment.ensureCodes(null, 0, 10);
    expect(() => segment.ensureCodes(Uint32Array.of(0, far))).toThrowError(corruptAt(path, block));
    expect(() => segment.ensureTokens(Uint32Array.of(far))).toThrowError(corruptAt(path, block));
    expect(() => segment.ensureCodes(null)).toThrowError(corruptAt(path, block));
    expect(() => segment.ensureCodes(null, far, far + 1)).toThrowError(corruptAt(path, block));
  });

  it.each([
    ["norms", 2, far * LENGTH * 2],
    ["residual", 1, far * LENGTH * 4],
  ] as const)("finds damaged %s when they are about to be read", async (tag, elementSize, at) => {
    const [path, block] = await damaged(tag, elementSize, at);
    const segment = await openLarge(path);
    segment.ensureTokens(Uint32Array.of(0, 1, 2));
    expect(() => segment.ensureTokens(Uint32Array.of(far))).toThrowError(corruptAt(path, block));
    expect(() => segment.ensureTokens(null)).toThrowError(corruptAt(path, block));
  });

  it("finds damaged posting lists when they are about to be read", async () => {
    const { postingOffsets } = await open({});
    const last = CENTROIDS - 1;
    const [path, block] = await damaged("postings", 1, postingOffsets[last]!);
    const segment = await openLarge(path);
    segment.ensureLists(Uint32Array.of(0, 1));
    segment.ensureLists(Uint32Array.of(0, last), 1);
    expect(() => segment.ensureLists(Uint32Array.of(0, last))).toThrowError(corruptAt(path, block));
  });

  it.each(["lengths", "document", "postoff"])("finds damaged %s at open", async (tag) => {
    const source = join(folder, segmentFile.name);
    const { file } = await open({});
    const bytes = readFileSync(source);
    bytes[file!.section(tag, 4).offset + 5]! ^= 1;
    const path = join(folder, `damaged-${tag}`);
    writeFileSync(path, bytes);
    await expect(openLarge(path)).rejects.toMatchObject({ code: "CORRUPT" });
  });

  it("has nothing left to verify after everything was read", async () => {
    const segment = await openLarge();
    segment.ensureTokens(null);
    segment.ensureLists(Uint32Array.from({ length: CENTROIDS }, (_, k) => k));
    for (const tag of ["codes", "norms", "residual", "postings"]) {
      expect([tag, segment.file!.guard(tag).complete]).toEqual([tag, true]);
    }
    segment.file!.close();
    // Would be CLOSED if there were a block left.
    segment.ensureTokens(Uint32Array.of(5));
    segment.ensureCodes(null);
  });

  it("leaves passages and centroids that do not exist to the kernels", async () => {
    const segment = await openLarge();
    segment.ensureTokens(Uint32Array.of(PASSAGES, 0xffffffff));
    segment.ensureLists(Uint32Array.of(CENTROIDS, 0xffffffff));
  });

  it("is scored as a segment in memory is", async () => {
    const random = new Random(5);
    const query = packQuery(
      Float32Array.from({ length: 3 * DIM }, () => random.normal() / 4),
      3,
      DIM,
    );
    const table = new Float32Array(CENTROIDS * query.lanes);
    referenceBackend.centroidScores(query, codec.codebook, table, null);
    const score = ({ compressed, offsets }: Segment): Float32Array => {
      const out = new Float32Array(PASSAGES);
      referenceBackend.maxsim(query, codec.quantizer, table, compressed, offsets, null, out);
      return out;
    };
    const mapped = await openLarge();
    mapped.ensureTokens(null);
    expect(score(mapped)).toEqual(score(await open({})));
  });

  it("is refused once its file is cut short", async () => {
    const path = join(folder, "shrinking");
    writeFileSync(path, readFileSync(join(folder, segmentFile.name)));
    const segment = await openLarge(path);
    segment.checkMapped();
    writeFileSync(path, "");
    expect(() => segment.checkMapped()).toThrowError(expect.objectContaining({ code: "CORRUPT" }));
  });
});

/** What search reads of a snapshot. */
function contentOf({ codec: { codebook, quantizer, tokenGroups }, segments }: SearchSnapshot): unknown {
  return {
    codebook: { ...codebook, values: [...codebook.values], scales: [...codebook.scales] },
    quantizer: { ...quantizer, cutoffs: [...quantizer.cutoffs], weights: [...quantizer.weights] },
    groups: tokenGroups.groups,
    segments: segments.map((segment) => {
      const { name, passages, tokens, centroids, offsets, documents, numbers, dead, live } = segment;
      const { codes, inverseNorms, residuals } = segment.compressed;
      const arrays = [offsets, documents, numbers, codes, inverseNorms, residuals, segment.postingOffsets];
      return {
        ...{ name, passages, tokens, centroids, dead, live },
        arrays: [...arrays, segment.postings].map((array) => Buffer.from(array.buffer).toString("base64")),
      };
    }),
  };
}

describe("a snapshot for another thread", () => {
  const loaded = async (options: ReadOptions): Promise<SearchSnapshot> => {
    const file = await readSectionFile(
      join(folder, codecFile.name),
      { type: "codec", indexId: INDEX_ID },
      options,
    );
    const segment = await open(options);
    const codecOfFile = decodeCodecFile(file);
    return { codec: codecOfFile, segments: [segment], tokens: TOKENS };
  };

  it.skipIf(reason)(`is mapped again${reason === undefined ? "" : ` (${reason})`}`, async () => {
    const snapshot = await loaded({ mapper, verifyWhole: 0 });
    const description = structuredClone(describeSnapshot(snapshot));
    const attached = attachSnapshot(description, mapper);
    expect(attached).toMatchObject({ tokens: TOKENS });
    expect(contentOf(attached)).toEqual(contentOf(snapshot));
    const [first, second] = [snapshot.segments[0]!, attached.segments[0]!];
    expect([...second.dead!.subarray(99, 104)]).toEqual([0, 1, 1, 1, 0]);
    for (const shared of [second.offsets, second.dead!, second.live!]) {
      expect(shared.buffer).toBeInstanceOf(SharedArrayBuffer);
    }
    second.ensureTokens(null);
    expect(first.file!.guard("residual").complete).toBe(true);
  });

  it("shares what was read into memory", async () => {
    const snapshot = await loaded({});
    const attached = attachSnapshot(structuredClone(describeSnapshot(snapshot)), undefined);
    expect(contentOf(attached)).toEqual(contentOf(snapshot));
    expect(attached.segments[0]!.postings.buffer).toBeInstanceOf(SharedArrayBuffer);
    attached.segments[0]!.ensureTokens(null);
    attached.segments[0]!.checkMapped();
  });

  it("copies what was made in memory", () => {
    const { snapshot } = memorySnapshot({ passages: 10, tokens: 8 });
    const attached = attachSnapshot(structuredClone(describeSnapshot(snapshot)), undefined);
    expect(contentOf(attached)).toEqual(contentOf(snapshot));
    attached.segments[0]!.ensureLists(Uint32Array.of(0));
    expect(attachCodec(describeCodec(snapshot.codec), undefined).dim).toBe(snapshot.codec.dim);
  });
});
