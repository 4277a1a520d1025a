import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CorpusItem, type CorpusOptions, readCorpus } from "../../../src/datasets/corpus.js";
import { decompress } from "../../../src/datasets/decompress.js";
import { ZstdFrames } from "../../../src/datasets/zstd-frames.js";
import type { Compression } from "../../../src/text/formats.js";
import { nameOrReason } from "../../support/cli.js";
import { tempFolder } from "../../support/temp-folder.js";

const folder = tempFolder();
const noZstd = existsSync("/usr/bin/zstd") ? undefined : "the zstd program is not installed";

async function unpack(chunks: readonly Uint8Array[], compression: Compression): Promise<Buffer> {
  const source = (async function* () {
    yield* chunks;
  })();
  const parts: Buffer[] = [];
  for await (const part of decompress(source, compression)) parts.push(part);
  return Buffer.concat(parts);
}

/** Pieces of the given sizes, as a file gives them. */
function pieces(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    out.push(bytes.subarray(at, at + size));
    at += size;
  }
  return out;
}

function zstd(bytes: Uint8Array, ...args: string[]): Buffer {
  return execFileSync("/usr/bin/zstd", ["-c", "-q", ...args], { input: bytes, maxBuffer: 1 << 28 });
}

/** A frame of one raw block for each part, without compression, as the format allows. */
function rawZstd(parts: readonly Uint8Array[], descriptor = 0, header: readonly number[] = [7 << 3]): Buffer {
  const blocks = parts.map((part, i) => {
    const head = Buffer.alloc(3);
    head.writeUIntLE((part.length << 3) | (i === parts.length - 1 ? 1 : 0), 0, 3);
    return Buffer.concat([head, part]);
  });
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, descriptor, ...header]), ...blocks]);
}

const text = Buffer.from("A heron stands in the reeds and waits. ".repeat(5000));

describe("gzip", () => {
  test("is unpacked, also from several members and in small pieces", async () => {
    const two = Buffer.concat([gzipSync(text), gzipSync(Buffer.from("end"))]);
    expect((await unpack([two], "gzip")).toString()).toBe(`${text}end`);
    expect(
      (await unpack(pieces(two, [1, 7, 100]), "gzip")).equals(Buffer.concat([text, Buffer.from("end")])),
    ).toBe(true);
  });

  test("that is cut short or damaged is told", async () => {
    const packed = gzipSync(text);
    for (const length of [5, 12, packed.length - 1]) {
      await expect(unpack([packed.subarray(0, length)], "gzip")).rejects.toMatchObject({
        name: "UnreadableFile",
        message: "the gzip data ends early",
      });
    }
    await expect(unpack([Buffer.from("no gzip")], "gzip")).rejects.toThrow("the gzip data is damaged: ");
    const bent = Buffer.from(packed);
    bent[bent.length - 6]! ^= 1;
    await expect(unpack([bent], "gzip")).rejects.toThrow("the gzip data is damaged: ");
  });

  test("that grows beyond measure is stopped", async () => {
    const part = gzipSync(new Uint8Array(64 * 1024 * 1024));
    await expect(unpack([part], "gzip")).resolves.toHaveLength(64 * 1024 * 1024);
    await expect(unpack([part, part, part, part, part], "gzip")).rejects.toThrow(
      "it grows to more than 500 times its size",
    );
  });
});

describe("zstd", () => {
  test.skipIf(noZstd)(
    nameOrReason("is unpacked at every level, from frames and pieces", noZstd),
    async () => {
      for (const args of [["-1"], ["-3", "--no-check"], ["-19"], ["-B65536"]]) {
        const two = Buffer.concat([zstd(text, ...args), zstd(Buffer.from("end"), ...args)]);
        const whole = Buffer.concat([text, Buffer.from("end")]);
        expect((await unpack([two], "zstd")).equals(whole)).toBe(true);
        expect((await unpack(pieces(two, [1, 3, 500]), "zstd")).equals(whole)).toBe(true);
      }
    },
  );

  test.skipIf(noZstd)(nameOrReason("with a window that is too large is refused", noZstd), async () => {
    const streamed = execFileSync("sh", ["-c", "head -c 1000 /dev/zero | zstd -q -c -1 --long=27"], {
      maxBuffer: 1 << 26,
    });
    await expect(unpack([streamed], "zstd")).rejects.toThrow("a window of 134217728 bytes, at most 33554432");
  });

  test("frames are followed whatever the pieces", () => {
    const skippable = Buffer.concat([Buffer.from("502a4d1803000000", "hex"), Buffer.from("abc")]);
    const stream = Buffer.concat([
      rawZstd([text.subarray(0, 1000), text.subarray(0, 5)]),
      skippable,
      rawZstd([text]),
    ]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 5 }), (sizes) => {
        const frames = new ZstdFrames();
        for (const piece of pieces(stream, sizes)) frames.push(piece);
        frames.finish();
      }),
      { numRuns: 50 },
    );
  });

  test("that is cut short, damaged or something else is told", async () => {
    const frame = rawZstd([text.subarray(0, 100_000)]);
    expect((await unpack([frame], "zstd")).length).toBe(100_000);
    for (const length of [3, 5, 8, 100, frame.length - 1]) {
      await expect(unpack([frame.subarray(0, length)], "zstd")).rejects.toThrow("the zstd data ends early");
    }
    await expect(unpack([Buffer.from("no zstd data")], "zstd")).rejects.toThrow("it is no zstd data");
    await expect(unpack([Buffer.concat([frame, Buffer.from("more")])], "zstd")).rejects.toThrow(
      "something else follows",
    );
    const wrong = Buffer.from(frame);
    wrong[6]! |= 6;
    await expect(unpack([wrong], "zstd")).rejects.toMatchObject({ name: "UnreadableFile" });
  });

  test("that asks for a large window is refused before it is reserved", async () => {
    const window = rawZstd([text.subarray(0, 10)], 0, [31 << 3]);
    await expect(unpack([window], "zstd")).rejects.toThrow("a window of 2199023255552 bytes");
    const single = rawZstd([text.subarray(0, 10)], 0xe0, [0, 0, 0, 0, 1, 0, 0, 0]);
    await expect(unpack([single], "zstd")).rejects.toThrow("a window of 4294967296 bytes");
  });

  test("of one byte repeated is stopped when it grows beyond measure", async () => {
    const block = Buffer.alloc(4);
    block.writeUIntLE((131072 << 3) | 2, 0, 3);
    const bomb = Buffer.concat([
      rawZstd([new Uint8Array(0)]).subarray(0, 5),
      Buffer.from([7 << 3]),
      ...Array.from({ length: 4000 }, () => block),
    ]);
    await expect(unpack([bomb], "zstd")).rejects.toThrow("it grows to more than 500 times its size");
  });
});

test("random bytes give an error that says so, or bytes", async () => {
  const kinds = fc.constantFrom<Compression>("gzip", "zstd");
  const heads = {
    gzip: Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]),
    zstd: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
  };
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), kinds, fc.boolean(), async (bytes, kind, headed) => {
      try {
        await unpack([Buffer.concat([headed ? heads[kind] : Buffer.alloc(0), bytes])], kind);
      } catch (error) {
        expect(error).toMatchObject({ name: "UnreadableFile" });
      }
    }),
    { numRuns: 300 },
  );
});

describe("compressed records", () => {
  const lines = Array.from({ length: 3000 }, (_, i) => `{"id": "d${i}", "text": "heron ${i}"}\n`).join("");
  const write = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const read = async (path: string, options: CorpusOptions = {}): Promise<CorpusItem[]> => {
    const items: CorpusItem[] = [];
    for await (const item of readCorpus([path], options)) items.push(item);
    return items;
  };

  test("are read as records are, with the line of each", async () => {
    const path = write("a.jsonl.gz", gzipSync(lines));
    const items = await read(path);
    expect(items).toHaveLength(3000);
    expect(items[41]).toEqual({
      kind: "document",
      document: { id: "d41", text: "heron 41", source: { path, line: 42 } },
    });
    const table = write("t.csv.gz", gzipSync("id,text\n1,one\n2,two\n"));
    expect(await read(table)).toMatchObject([
      { document: { id: "1" } },
      { document: { id: "2", source: { line: 3 } } },
    ]);
    const tabs = write("t.tsv.zst", rawZstd([Buffer.from("id\ttext\n1\tone\n")]));
    expect(await read(tabs)).toMatchObject([{ document: { id: "1", text: "one" } }]);
    const anonymous = write("n.ndjson.gz", gzipSync('{"text": "x"}\n'));
    expect(await read(anonymous)).toMatchObject([{ document: { id: "n.ndjson.gz:1" } }]);
  });

  test("that end early are an error naming the file, or keep what precedes it when told", async () => {
    const packed = gzipSync(lines);
    const path = write("cut.jsonl.gz", packed.subarray(0, packed.length - 20));
    await expect(read(path)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: `${path}: the gzip data ends early`,
      hint: expect.stringContaining("--skip-invalid"),
    });
    const items = await read(path, { skipInvalid: true });
    expect(items.length).toBeGreaterThan(1000);
    expect(items.at(-1)).toEqual({
      kind: "skipped",
      path,
      reason: `the gzip data ends early, after ${items.length - 1} of its records`,
      failed: true,
    });
  });

  test("that are damaged from the first byte are passed over in a folder", async () => {
    const found = join(folder, "found");
    execFileSync("mkdir", [found]);
    write("found/bad.jsonl.gz", Buffer.from("no gzip at all"));
    write("found/good.txt", Buffer.from("text"));
    expect(await read(found)).toMatchObject([
      { kind: "skipped", reason: expect.stringContaining("the gzip data is damaged"), failed: true },
      { kind: "document" },
    ]);
  });
});
