// Writes an index of maxsim in next-plaid's format: the same centroids, codes and residual buckets, so that next-plaid can
// be timed on corpora that it cannot cluster on the machine at hand, and the two differ in searching alone.
//
//   node scripts/bench/peers/next-plaid/export.mjs INDEX FOLDER
//
// A bucket b of a dimension has its bits reversed, dimensions lie in order from the high end of a byte: bit t of dimension
// d is at stream position p = d * nbits + t, and position p is bit 7 - p mod 8 of byte p / 8.

import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { readPostings } from "../../../../dist/codec/postings.js";
import { fromFloat16 } from "../../../../dist/common/float16.js";
import { Catalog } from "../../../../dist/documents/catalog.js";
import { openGeneration } from "../../../../dist/engine/load-snapshot.js";
import { selectKernels } from "../../../../dist/kernels/select.js";
import { bytesOf } from "../../data/files.mjs";

/** Tokens that are converted at a time. */
const BATCH = 65_536;

/**
 * @param {string} index folder of an index whose documents have one passage each
 * @param {string} folder that is made
 */
export async function exportIndex(index, folder) {
  const catalog = Catalog.open(index, { readOnly: true });
  try {
    const { search } = await openGeneration(index, catalog.generation(), null, selectKernels().mapper);
    if (search === null) throw new Error(`${index} holds no token vectors`);
    mkdirSync(folder, { recursive: true });
    writeCodec(folder, search.codec);
    for (const [i, segment] of search.segments.entries()) writeChunk(folder, i, segment, search.codec);
    writeLists(folder, search.segments, search.codec.codebook.size);
    const { dim, quantizer, codebook } = search.codec;
    const documents = search.segments.reduce((sum, { passages }) => sum + passages, 0);
    const plan = { nbits: quantizer.nbits, num_chunks: search.segments.length };
    writeJson(join(folder, "plan.json"), plan);
    writeJson(join(folder, "metadata.json"), {
      num_chunks: search.segments.length,
      nbits: quantizer.nbits,
      num_partitions: codebook.size,
      num_embeddings: search.tokens,
      avg_doclen: search.tokens / documents,
      num_documents: documents,
      embedding_dim: dim,
      next_plaid_compatible: true,
      binary: false,
    });
  } finally {
    catalog.close();
  }
}

function writeCodec(folder, { dim, codebook, quantizer }) {
  const { size, values, scales } = codebook;
  const centroids = Float32Array.from(values, (value, i) => (value - 64) * scales[Math.floor(i / dim)]);
  writeArray(join(folder, "centroids.npy"), "<f4", [size, dim], [centroids]);
  const { cutoffs } = quantizer;
  const weights = Float32Array.from(quantizer.weights, (weight) => (weight - 64) * quantizer.weightScale);
  writeArray(join(folder, "bucket_cutoffs.npy"), "<f4", [cutoffs.length], [cutoffs]);
  writeArray(join(folder, "bucket_weights.npy"), "<f4", [weights.length], [weights]);
  // Both are read at load and used by updates alone.
  writeArray(join(folder, "avg_residual.npy"), "<f4", [dim], [new Float32Array(dim)]);
  writeArray(join(folder, "cluster_threshold.npy"), "<f4", [1], [Float32Array.of(1)]);
}

function writeChunk(folder, i, segment, codec) {
  const { compressed, tokens, passages, offsets } = segment;
  segment.ensureTokens(null);
  const lengths = Array.from({ length: passages }, (_, p) => offsets[p + 1] - offsets[p]);
  writeFileSync(join(folder, `doclens.${i}.json`), JSON.stringify(lengths));
  writeJson(join(folder, `${i}.metadata.json`), {
    num_documents: passages,
    num_embeddings: tokens,
    embedding_offset: 0,
  });
  const codes = (from, to) => BigInt64Array.from(compressed.codes.subarray(from, to), BigInt);
  writeArray(join(folder, `${i}.codes.npy`), "<i8", [tokens], batches(tokens, codes));
  const norms = (from, to) => Float32Array.from(compressed.inverseNorms.subarray(from, to), fromFloat16);
  writeArray(join(folder, `${i}.inv_norms.npy`), "<f4", [tokens], batches(tokens, norms));
  const bytes = codec.residualBytes;
  const repack = repacker(bytes, codec.quantizer.nbits);
  const rows = (from, to) => repack(compressed.residuals.subarray(from * bytes, to * bytes));
  writeArray(join(folder, `${i}.residuals.npy`), "|u1", [tokens, bytes], batches(tokens, rows));
}

function* batches(tokens, convert) {
  for (let from = 0; from < tokens; from += BATCH) yield convert(from, Math.min(from + BATCH, tokens));
}

/** From planar rows (byte i: dimensions i, i + bytes, ...) to rows in order with reversed buckets. */
function repacker(bytes, nbits) {
  const slots = 8 / nbits;
  const reversed = Array.from({ length: 1 << nbits }, (_, bucket) => {
    let out = 0;
    for (let t = 0; t < nbits; t++) out |= ((bucket >> t) & 1) << (nbits - 1 - t);
    return out;
  });
  const mask = (1 << nbits) - 1;
  return (planar) => {
    const out = new Uint8Array(planar.length);
    for (let row = 0; row < planar.length; row += bytes) {
      for (let slot = 0, d = 0; slot < slots; slot++) {
        for (let i = 0; i < bytes; i++, d++) {
          const bucket = (planar[row + i] >> (slot * nbits)) & mask;
          out[row + Math.floor(d / slots)] |= reversed[bucket] << (8 - nbits - (d % slots) * nbits);
        }
      }
    }
    return out;
  };
}

function writeLists(folder, segments, centroids) {
  const counts = new Int32Array(centroids);
  const list = new Uint32Array(Math.max(...segments.map(({ passages }) => passages)));
  function* lists() {
    for (let k = 0; k < centroids; k++) {
      const documents = [];
      for (const { postingOffsets, postings, passages, firstPassage, name } of segments) {
        const count = readPostings(postings, postingOffsets[k], postingOffsets[k + 1], passages, list, name);
        for (let i = 0; i < count; i++)
          documents.push(BigInt(firstPassage - segments[0].firstPassage + list[i]));
      }
      counts[k] = documents.length;
      yield BigInt64Array.from(documents);
    }
  }
  for (const segment of segments) segment.file?.ensureAll();
  const parts = [...lists()];
  const total = counts.reduce((sum, n) => sum + n, 0);
  writeArray(join(folder, "ivf.npy"), "<i8", [total], parts);
  writeArray(join(folder, "ivf_lengths.npy"), "<i4", [centroids], [counts]);
}

/** NPY 1.0 with its data at a multiple of 64. */
function writeArray(path, type, shape, parts) {
  const dict = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(", ")}${shape.length === 1 ? "," : ""})}`;
  const length = Math.ceil((10 + dict.length + 1) / 64) * 64;
  const header = Buffer.alloc(length, " ");
  header.write("\x93NUMPY\x01\x00", 0, "latin1");
  header.writeUInt16LE(length - 10, 8);
  header.write(dict, 10, "latin1");
  header.write("\n", length - 1, "latin1");
  const file = openSync(path, "w");
  try {
    writeSync(file, header);
    for (const part of parts) if (part.length > 0) writeSync(file, bytesOf(part));
  } finally {
    closeSync(file);
  }
}

function writeJson(path, value) {
  writeFileSync(path, JSON.stringify(value, undefined, 2));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [index, folder] = process.argv.slice(2);
  if (folder === undefined) {
    console.error("usage: node scripts/bench/peers/next-plaid/export.mjs INDEX FOLDER");
    process.exit(2);
  }
  await exportIndex(index, folder);
}
