import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MaxsimError } from "../../../src/common/errors.js";
import { inspectFile } from "../../../src/storage/inspect-file.js";
import { BLOCK_BYTES } from "../../../src/storage/section-format.js";
import { SectionFileWriter } from "../../../src/storage/section-writer.js";
import { MemoryFileSystem } from "./memory-file-system.js";

const INDEX_ID = "0123456789abcdef".repeat(2);
const FOLDER = "/index";

async function makeFile(bytes: number, seed = 0) {
  const fs = new MemoryFileSystem();
  const writer = await SectionFileWriter.create(FOLDER, {
    type: "segment",
    indexId: INDEX_ID,
    fileSystem: fs,
  });
  writer.section("data", 1);
  await writer.append(Uint8Array.from({ length: bytes }, (_, i) => (i * 7 + seed) % 251));
  const { name, ...file } = await writer.finish();
  const path = `${FOLDER}/${name}`;
  const inspect = () =>
    inspectFile(path, { type: "segment", indexId: INDEX_ID, ...file }, { what: "the test", fs });
  return { fs, path, file, inspect };
}

describe("a file that is read from its first to its last byte", () => {
  it("has no damage when it is as it was written, also when reads are short", async () => {
    const { fs, inspect, file } = await makeFile(200_000);
    fs.faults.maxBytes = 777;
    expect(await inspect()).toEqual({ damage: [], length: file.length, badBlocks: new Set() });
  });

  it("names the block of every damaged byte, and no other", async () => {
    const { fs, path, inspect, file } = await makeFile(3 * BLOCK_BYTES);
    const bodyLength = file.length - 32 - 4 * 4;
    await fc.assert(
      fc.asyncProperty(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), async (offset, mask) => {
        fs.files.get(path)![offset]! ^= mask;
        const { damage, badBlocks } = await inspect();
        fs.files.get(path)![offset]! ^= mask;
        expect(damage.length).toBeGreaterThan(0);
        if (offset >= bodyLength) expect(badBlocks).toBeNull();
        else expect(badBlocks).toEqual(new Set([Math.floor(offset / BLOCK_BYTES)]));
      }),
      { numRuns: 100 },
    );
  });

  it("is trusted in no block when it is another file, or has lost its end", async () => {
    const one = await makeFile(100_000, 1);
    const two = await makeFile(100_000, 2);
    one.fs.files.set(one.path, two.fs.files.get(two.path)!);
    expect(await one.inspect()).toMatchObject({ badBlocks: null, damage: [{ offset: 40 }] });
    const cut = await makeFile(100_000);
    cut.fs.files.set(cut.path, cut.fs.files.get(cut.path)!.subarray(0, 90_000));
    expect(await cut.inspect()).toMatchObject({ badBlocks: null, length: 90_000 });
    cut.fs.files.delete(cut.path);
    expect(await cut.inspect()).toEqual({
      damage: [{ what: "the file is missing" }],
      length: null,
      badBlocks: null,
    });
  });

  it("counts what cannot be read as damaged, and stops when it is told to", async () => {
    const { fs, inspect, path, file } = await makeFile(3_000_000);
    const open = fs.openForReading.bind(fs);
    const sector = 20 * BLOCK_BYTES + 4096;
    fs.openForReading = async (name) => {
      const opened = await open(name);
      return {
        ...opened,
        path: opened.path,
        length: opened.length,
        close: () => opened.close(),
        async read(target, position) {
          if (position <= sector && position + target.length > sector) {
            throw new MaxsimError("IO", `cannot read ${name}: EIO`);
          }
          return opened.read(target, position);
        },
      };
    };
    const { damage, badBlocks } = await inspect();
    expect(damage).toEqual([{ offset: 20 * BLOCK_BYTES, what: expect.stringMatching(/EIO/) }]);
    expect(badBlocks).toEqual(new Set([20]));
    const signal = AbortSignal.abort();
    const stopped = inspectFile(
      path,
      { type: "segment", indexId: INDEX_ID, ...file },
      { what: "the test", fs, signal },
    );
    await expect(stopped).rejects.toMatchObject({ code: "ABORTED" });
  });
});
