import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type NpyArray, readNpy, toFloats, writeNpy } from "../../../src/storage/npy.js";
import { MemoryFileSystem } from "./memory-file-system.js";

/** A .npy file with this header text and these data. */
function npy(header: string, data: Uint8Array, version = 1): Buffer {
  const text = Buffer.from(`${header}\n`, "latin1");
  const prefix = Buffer.alloc(version === 1 ? 10 : 12);
  prefix.write("\x93NUMPY", "latin1");
  prefix[6] = version;
  if (version === 1) prefix.writeUInt16LE(text.length, 8);
  else prefix.writeUInt32LE(text.length, 8);
  return Buffer.concat([prefix, text, data]);
}

function read(file: Buffer): Promise<NpyArray> {
  const fs = new MemoryFileSystem({ maxBytes: 3 });
  fs.files.set("/a.npy", file);
  return readNpy("/a.npy", fs);
}

function bytesOf(data: NodeJS.ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

test("what is written is read back, and the data start at a multiple of 64", async () => {
  const property = fc.asyncProperty(
    fc.array(fc.nat({ max: 6 }), { maxLength: 4 }),
    fc.boolean(),
    fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
    async (shape, floats, stream) => {
      const fs = new MemoryFileSystem();
      const count = shape.reduce((product, size) => product * size, 1);
      const values = [...stream.take(count)];
      const data = floats ? Float32Array.from(values, (v) => v / 3) : Uint8Array.from(values);
      await writeNpy("/a.npy", shape, data, fs);
      expect(fs.files.get("/a.npy")!.length % 64).toBe(data.byteLength % 64);
      expect(await readNpy("/a.npy", fs)).toEqual({ type: floats ? "f4" : "u1", shape, data });
    },
  );
  await fc.assert(property, { numRuns: 50 });
});

describe("reading", () => {
  const cases: Array<[string, NpyArray["data"]]> = [
    ["<f2", Uint16Array.of(0x3c00, 0xc000)],
    ["<f4", Float32Array.of(1, -2)],
    ["<f8", Float64Array.of(1, -2)],
    ["<i4", Int32Array.of(1, -2)],
    ["<i8", BigInt64Array.of(1n, -2n)],
    ["|u1", Uint8Array.of(1, 2)],
  ];
  test.each(cases)("%s in every version", async (descr, data) => {
    for (const version of [1, 2, 3]) {
      const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (2,), }`;
      const array = await read(npy(header, bytesOf(data), version));
      expect(array).toEqual({ type: descr.slice(1), shape: [2], data });
      if (array.type.startsWith("f")) expect([...toFloats(array, "vectors")]).toEqual([1, -2]);
      else expect(() => toFloats(array, "vectors")).toThrow(/vectors must hold floats/);
    }
  });

  const good = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }";
  const refused: Array<[string, Buffer]> = [
    ["nothing", Buffer.alloc(0)],
    ["another file", Buffer.from("PK\x03\x04 and so on and on")],
    ["Fortran order", npy(good.replace("False", "True"), new Uint8Array(8))],
    ["big-endian", npy(good.replace("<f4", ">f4"), new Uint8Array(8))],
    ["objects", npy(good.replace("<f4", "|O"), new Uint8Array(8))],
    ["a structured type", npy(good.replace("'<f4'", "[('a', '<f4')]"), new Uint8Array(8))],
    ["too few bytes", npy(good, new Uint8Array(7))],
    ["too many bytes", npy(good, new Uint8Array(9))],
    ["an enormous shape", npy(good.replace("1, 2", "4294967296, 4294967296, 8"), new Uint8Array(8))],
    ["no shape", npy("{'descr': '<f4', 'fortran_order': False}", new Uint8Array(8))],
    ["version 4", npy(good, new Uint8Array(8), 4)],
    ["a header beyond the end", npy(good, new Uint8Array(0)).subarray(0, 30)],
  ];
  test.each(refused)("%s is refused", async (_, file) => {
    await expect(read(file)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });
});

test("a shape that does not fit the data is refused when writing", async () => {
  const fs = new MemoryFileSystem();
  await expect(writeNpy("/a.npy", [2, 2], new Float32Array(3), fs)).rejects.toMatchObject({
    code: "INTERNAL",
  });
});
