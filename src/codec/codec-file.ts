/** The codec as a file; sections are described in index-data/FORMAT.md. */
import { isAscii } from "node:buffer";
import { MaxsimError } from "../common/errors.js";
import { MAX_DIM } from "../kernels/backend.js";
import type { SectionFile } from "../storage/section-file.js";
import { type FileSummary, SectionFileWriter } from "../storage/section-writer.js";
import { Codec } from "./codec.js";
import { TokenGroups } from "./token-groups.js";

const floatBits = new Float32Array(1);
const floatBitsView = new Uint32Array(floatBits.buffer);

export async function writeCodecFile(folder: string, indexId: string, codec: Codec): Promise<FileSummary> {
  const { codebook, quantizer, tokenGroups } = codec;
  const { groups } = tokenGroups;
  floatBits[0] = quantizer.weightScale;
  const info = Uint32Array.of(
    codec.dim,
    quantizer.nbits,
    codebook.size,
    groups.length,
    floatBitsView[0]!,
    0,
    0,
    0,
  );
  const file = await SectionFileWriter.create(folder, { type: "codec", indexId });
  try {
    file.section("info", 4);
    await file.append(info);
    file.section("centroid", 1);
    await file.append(codebook.values);
    file.section("cscales", 4);
    await file.append(codebook.scales);
    file.section("cutoffs", 4);
    await file.append(quantizer.cutoffs);
    file.section("weights", 1);
    await file.append(quantizer.weights);
    file.section("groups", 4);
    await file.append(
      Uint32Array.from(groups.flatMap(({ tokenId, first, count }) => [tokenId, first, count])),
    );
    return await file.finish();
  } catch (error) {
    await file.abort();
    throw error;
  }
}

/** Verifies a codec file and checks that every number in it can be used; CORRUPT naming the file otherwise. */
export function decodeCodecFile(file: SectionFile): Codec {
  file.ensureAll();
  const codec = viewCodecFile(file);
  const { codebook, quantizer } = codec;
  const require = requireOf(file);
  const { weightScale } = quantizer;
  require(areScales(codebook.scales), "a centroid scale lies outside 0..1");
  require(weightScale > 0 &&
    weightScale <= 1, `the weight scale is ${weightScale}, expected more than 0, at most 1`);
  require(inBiasedRange(codebook.values) && inBiasedRange(quantizer.weights), "a value lies outside 1..127");
  const { cutoffs } = quantizer;
  require(cutoffs.every((cutoff, i) => i === 0 || cutoff >= cutoffs[i - 1]!), "cutoffs do not ascend");
  require(areGroups(file.u32("groups"), codebook.size), "groups do not fit");
  return codec;
}

/** The codec in a file whose values were checked by another thread; only sizes are checked again. */
export function viewCodecFile(file: SectionFile): Codec {
  const require = requireOf(file);
  const info = file.u32("info");
  require(info.length === 8, `section info has ${info.length} numbers, expected 8`);
  const [dim = 0, nbits = 0, size = 0, groupCount = 0, weightScaleBits = 0] = info;
  require(dim >= 8 &&
    dim % 8 === 0 &&
    dim <= MAX_DIM, `dimension ${dim}, expected a multiple of 8 up to ${MAX_DIM}`);
  require(size >= 1, "no centroids");
  const bits = nbits === 1 || nbits === 2 || nbits === 4 ? nbits : undefined;
  if (bits === undefined) throw new MaxsimError("CORRUPT", `${file.path}: ${nbits} bits, expected 1, 2 or 4`);
  floatBitsView[0] = weightScaleBits;
  const weightScale = floatBits[0]!;
  const values = file.u8("centroid");
  const scales = file.f32("cscales");
  const cutoffs = file.f32("cutoffs");
  const weights = file.u8("weights");
  require(values.length === size * dim, `${values.length} centroid bytes, expected ${size * dim}`);
  require(scales.length === size, `${scales.length} centroid scales, expected ${size}`);
  require(cutoffs.length === 2 ** bits - 1, `${cutoffs.length} cutoffs, expected ${2 ** bits - 1}`);
  require(weights.length === 2 ** bits, `${weights.length} weights, expected ${2 ** bits}`);
  const groups = file.u32("groups");
  require(groups.length === groupCount * 3, `${groups.length / 3} groups, expected ${groupCount}`);
  return new Codec(
    { size, dim, values, scales },
    { nbits: bits, cutoffs, weights, weightScale },
    new TokenGroups(groups),
    file,
  );
}

function requireOf(file: SectionFile): (condition: boolean, what: string) => void {
  return (condition, what) => {
    if (!condition) throw new MaxsimError("CORRUPT", `${file.path}: ${what}`);
  };
}

function areScales(scales: Float32Array): boolean {
  for (let k = 0; k < scales.length; k++) if (!(scales[k]! >= 0 && scales[k]! <= 1)) return false;
  return true;
}

/** Whether every byte is from 1 to 127: ASCII without NUL, for which there are searches that take 1 ms for 16 MB. */
function inBiasedRange(values: Uint8Array): boolean {
  return isAscii(values) && !Buffer.from(values.buffer, values.byteOffset, values.length).includes(0);
}

/**
 * Whether groups (token id, first, count) ascend, those of one id without overlap, and lie within the codebook. Centroids
 * that several ids share stand in ranges of their own, which bounds the sum of the counts.
 */
function areGroups(numbers: Uint32Array, centroids: number): boolean {
  let sum = 0;
  for (let g = 0; g < numbers.length; g += 3) {
    const [tokenId, first, count] = [numbers[g]!, numbers[g + 1]!, numbers[g + 2]!];
    if (count === 0 || first + count > centroids) return false;
    if (g > 0 && tokenId < numbers[g - 3]!) return false;
    if (g > 0 && tokenId === numbers[g - 3] && first < numbers[g - 2]! + numbers[g - 1]!) return false;
    sum += count;
  }
  return sum <= centroids + numbers.length / 3;
}
