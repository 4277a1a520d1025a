/** Arrays in NumPy's .npy files (format versions 1 to 3), little-endian and in C order. */
import { MaxsimError } from "../common/errors.js";
import { fromFloat16 } from "../common/float16.js";
import { type FileSystem, readAll, writeAll } from "./file-system.js";
import { nodeFileSystem } from "./node-file-system.js";

interface NpyTypes {
  /** Bits of binary16 numbers. */
  f2: Uint16Array;
  f4: Float32Array;
  f8: Float64Array;
  i4: Int32Array;
  i8: BigInt64Array;
  u1: Uint8Array;
}

export type NpyType = keyof NpyTypes;

export type NpyArray = {
  [T in NpyType]: {
    readonly type: T;
    /** Sizes of the axes; empty for a single number. */
    readonly shape: readonly number[];
    /** Elements in C order; f2 as their 16 bits. */
    readonly data: NpyTypes[T];
  };
}[NpyType];

const VIEWS: { readonly [T in NpyType]: (buffer: ArrayBuffer) => Extract<NpyArray, { type: T }>["data"] } = {
  f2: (buffer) => new Uint16Array(buffer),
  f4: (buffer) => new Float32Array(buffer),
  f8: (buffer) => new Float64Array(buffer),
  i4: (buffer) => new Int32Array(buffer),
  i8: (buffer) => new BigInt64Array(buffer),
  u1: (buffer) => new Uint8Array(buffer),
};

const MAGIC = Buffer.from("\x93NUMPY", "latin1");
/** NumPy pads the header so that the data start at a multiple of 64. */
const ALIGNMENT = 64;

function malformed(path: string, expected: string, found: string): MaxsimError {
  return new MaxsimError(
    "INVALID_INPUT",
    `${path} is not a readable .npy file: expected ${expected}, found ${found}`,
  );
}

interface NpyHeader {
  readonly type: NpyType;
  readonly shape: readonly number[];
  readonly count: number;
  /** Byte at which the data start. */
  readonly start: number;
}

/**
 * Reads a whole array of f2, f4, f8, i4, i8 or u1.
 * Errors: INVALID_INPUT for another type, Fortran order or a length that does not fit; PATH_NOT_FOUND; IO.
 */
export async function readNpy(path: string, fs: FileSystem = nodeFileSystem): Promise<NpyArray> {
  const file = await fs.openForReading(path);
  try {
    const prefix = Buffer.alloc(12);
    if (file.length < prefix.length) throw malformed(path, "a header", `${file.length} bytes`);
    await readAll(file, prefix, 0);
    if (!prefix.subarray(0, 6).equals(MAGIC)) {
      throw malformed(path, "the magic of .npy", prefix.toString("hex", 0, 6));
    }
    const version = prefix[6]!;
    if (version < 1 || version > 3) throw malformed(path, "version 1 to 3", `version ${version}`);
    const textStart = version === 1 ? 10 : 12;
    const textLength = version === 1 ? prefix.readUInt16LE(8) : prefix.readUInt32LE(8);
    const start = textStart + textLength;
    if (start > file.length)
      throw malformed(path, `a header of ${textLength} bytes`, `${file.length} bytes in all`);
    const text = Buffer.alloc(textLength);
    await readAll(file, text, textStart);
    const header = parseHeader(path, text.toString("latin1"), start);
    const length = header.count * Number(header.type.slice(1));
    if (length !== file.length - start) {
      throw malformed(
        path,
        `${length} bytes for the shape (${header.shape.join(", ")})`,
        `${file.length - start}`,
      );
    }
    const data = new Uint8Array(length);
    await readAll(file, data, start);
    return { type: header.type, shape: header.shape, data: VIEWS[header.type](data.buffer) } as NpyArray;
  } finally {
    await file.close();
  }
}

function parseHeader(path: string, text: string, start: number): NpyHeader {
  const field = (name: string, value: string): string => {
    const found = new RegExp(`['"]${name}['"]\\s*:\\s*(${value})`).exec(text)?.[1];
    if (found === undefined)
      throw malformed(path, `a header with ${name}`, JSON.stringify(text.slice(0, 120)));
    return found;
  };
  const descr = field("descr", "['\"][^'\"]*['\"]|\\[").slice(1, -1);
  const type = descr.slice(1);
  // One byte has no order; NumPy writes "|u1".
  if (!(descr.startsWith("<") || descr === "|u1") || !isType(type)) {
    throw malformed(path, "elements of <f2, <f4, <f8, <i4, <i8 or |u1", JSON.stringify(descr));
  }
  if (field("fortran_order", "True|False") === "True") throw malformed(path, "C order", "Fortran order");
  const sizes = field("shape", "\\([\\d\\s,L]*\\)").match(/\d+/g) ?? [];
  const shape = sizes.map(Number);
  const count = shape.reduce((product, size) => product * size, 1);
  if (!Number.isSafeInteger(count))
    throw malformed(path, "a shape that fits the file", `(${sizes.join(", ")})`);
  return { type, shape, count, start };
}

function isType(type: string): type is NpyType {
  return Object.hasOwn(VIEWS, type);
}

/** The elements as float32; INVALID_INPUT for integers. `what` names the array in the message. */
export function toFloats(array: NpyArray, what: string): Float32Array {
  if (array.type === "f4") return array.data;
  if (array.type === "f8") return Float32Array.from(array.data);
  if (array.type === "f2") return Float32Array.from(array.data, fromFloat16);
  throw new MaxsimError("INVALID_INPUT", `${what} must hold floats (f2, f4, f8), found ${array.type}`);
}

/** Writes a new file; it must not exist, and does not after a failure. */
export async function writeNpy(
  path: string,
  shape: readonly number[],
  data: Float32Array | Uint8Array,
  fs: FileSystem = nodeFileSystem,
): Promise<void> {
  const count = shape.reduce((product, size) => product * size, 1);
  if (count !== data.length) {
    throw new MaxsimError(
      "INTERNAL",
      `a shape of (${shape.join(", ")}) has ${count} elements, got ${data.length}`,
    );
  }
  const type = data instanceof Float32Array ? "<f4" : "|u1";
  const axes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const fields = `{'descr': '${type}', 'fortran_order': False, 'shape': (${axes}), }`;
  const text = `${fields.padEnd(Math.ceil((fields.length + 11) / ALIGNMENT) * ALIGNMENT - 11)}\n`;
  const prefix = Buffer.alloc(10);
  prefix.set(MAGIC);
  prefix[6] = 1;
  prefix.writeUInt16LE(text.length, 8);
  const head = Buffer.concat([prefix, Buffer.from(text, "latin1")]);
  const file = await fs.createExclusive(path);
  try {
    await writeAll(file, head, 0);
    await writeAll(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength), head.length);
    await file.sync();
  } catch (error) {
    await file.close();
    await fs.unlink(path);
    throw error;
  }
  await file.close();
}
