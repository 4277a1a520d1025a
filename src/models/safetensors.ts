/**
 * Reads single tensors of a safetensors file: u64 header length, JSON header with dtype, shape and byte range of each
 * tensor, then the data. Everything that the header says is checked before it is used.
 */
import { type FileHandle, open } from "node:fs/promises";
import * as z from "zod/mini";
import { ioError, systemCode } from "../common/errors.js";
import { fromFloat16 } from "../common/float16.js";
import { invalidModel } from "./model-folder.js";

export interface FloatTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

const MAX_HEADER_BYTES = 16 * 1024 * 1024;
/** Projections are small; this is 16 million weights. */
const MAX_TENSOR_BYTES = 64 * 1024 * 1024;
const BYTES = { F32: 4, F16: 2, BF16: 2 } as const;

const size = z.number().check(z.int(), z.nonnegative());
const entryShape = z.looseObject({
  dtype: z.string(),
  shape: z.array(size),
  data_offsets: z.tuple([size, size]),
});
type Entry = z.infer<typeof entryShape>;

/** The tensors of `path` called `names`; a name that the file lacks is absent from the result. */
export async function readSafetensors(
  path: string,
  names: readonly string[],
): Promise<Map<string, FloatTensor>> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    if (systemCode(error) === "ENOENT") throw invalidModel(path, "must exist: it holds weights of the model");
    throw ioError("open", path, error);
  }
  try {
    const { size: fileSize } = await file.stat();
    const { header, dataStart } = await readHeader(file, path, fileSize);
    const tensors = new Map<string, FloatTensor>();
    for (const name of names) {
      const raw = header[name];
      if (raw === undefined) continue;
      const entry = entryShape.safeParse(raw);
      if (!entry.success) throw invalidModel(path, `has a malformed header entry for ${name}`);
      tensors.set(name, await readTensor(file, path, name, entry.data, dataStart, fileSize));
    }
    return tensors;
  } finally {
    await file.close();
  }
}

async function readHeader(file: FileHandle, path: string, fileSize: number) {
  const prefix = await readExactly(file, path, 0, 8);
  const length = Number(prefix.readBigUInt64LE(0));
  if (length > MAX_HEADER_BYTES || 8 + length > fileSize) {
    throw invalidModel(
      path,
      `must be a safetensors file, but its header claims ${length} of ${fileSize} bytes`,
    );
  }
  const text = (await readExactly(file, path, 8, length)).toString("utf8");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw invalidModel(path, "must be a safetensors file, but its header is not JSON", undefined, error);
  }
  const header = z.record(z.string(), z.unknown()).safeParse(json);
  if (!header.success)
    throw invalidModel(path, "must be a safetensors file, but its header is not an object");
  return { header: header.data, dataStart: 8 + length };
}

async function readTensor(
  file: FileHandle,
  path: string,
  name: string,
  entry: Entry,
  dataStart: number,
  fileSize: number,
): Promise<FloatTensor> {
  const { dtype, shape } = entry;
  if (dtype !== "F32" && dtype !== "F16" && dtype !== "BF16") {
    throw invalidModel(path, `must hold ${name} as F32, F16 or BF16, found ${dtype}`);
  }
  const [begin, end] = entry.data_offsets;
  const count = shape.reduce((product, n) => product * n, 1);
  const bytes = count * BYTES[dtype];
  if (bytes > MAX_TENSOR_BYTES || end - begin !== bytes || dataStart + end > fileSize) {
    throw invalidModel(
      path,
      `gives ${name} ${dtype} [${shape.join(", ")}], ${bytes} bytes, but places it at ${begin} .. ${end} of ${fileSize - dataStart}`,
    );
  }
  const data = await readExactly(file, path, dataStart + begin, bytes);
  const values = new Float32Array(count);
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < count; i++) {
    if (dtype === "F32") values[i] = data.readFloatLE(4 * i);
    else if (dtype === "F16") values[i] = fromFloat16(data.readUInt16LE(2 * i));
    else bits[i] = data.readUInt16LE(2 * i) << 16;
  }
  if (values.some((x) => !Number.isFinite(x)))
    throw invalidModel(path, `has a weight in ${name} that is not finite`);
  return { shape, values };
}

async function readExactly(
  file: FileHandle,
  path: string,
  position: number,
  length: number,
): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  if (bytesRead !== length) {
    throw invalidModel(path, `must have ${length} bytes at ${position}, found ${bytesRead}`);
  }
  return buffer;
}
