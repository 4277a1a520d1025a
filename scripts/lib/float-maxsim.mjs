// Exhaustive MaxSim in float32: the yardstick for what compression and pruning cost. It shares no code with the
// engine's scoring: onnxruntime multiplies the matrices, and the maxima are taken here.

import { InferenceSession, Tensor } from "onnxruntime-node";

/** Token vectors of passages, and columns of queries, that one multiplication takes: 16 MB of similarities. */
const ROWS = 8192;
const COLUMNS = 512;

/**
 * Passages as `floatMaxSim` reads them.
 *
 * @typedef {object} FloatPassages
 * @property {number} dim
 * @property {Uint32Array} lengths token vectors of each passage
 * @property {(from: number, to: number) => Float32Array} rows token vectors `from` .. `to - 1`, one after another
 */

/**
 * Scores of every passage for every query, f32 `[passages]` each: the sum over query tokens of the largest dot
 * product with a token vector of the passage; -Infinity for a passage without token vectors. Dot products are
 * float32, the sum is float64.
 *
 * @param {FloatPassages} passages
 * @param {readonly Float32Array[]} queries unit rows, f32 `[tokens][dim]`
 * @param {{threads?: number}} [options] threads of the matrix product; default: what onnxruntime chooses
 * @returns {Promise<Float32Array[]>}
 */
export async function floatMaxSim(passages, queries, options = {}) {
  const { dim, lengths } = passages;
  const product = await MatrixProduct.create(dim, options.threads);
  try {
    const groups = queryGroups(queries, dim);
    const scores = queries.map(() => new Float32Array(lengths.length));
    for (const block of passageBlocks(lengths)) {
      const rows = passages.rows(block.firstRow, block.firstRow + block.rows);
      for (const group of groups) {
        const similarities = await product.run(rows, block.rows, group.matrix, group.columns);
        addScores(similarities, lengths, block, group, scores);
      }
    }
    return scores;
  } finally {
    await product.release();
  }
}

/**
 * Positions of the `k` best of `scores`, best first, ties to the earlier one; never one of -Infinity.
 *
 * @param {Float32Array} scores
 * @param {number} k
 * @returns {number[]}
 */
export function bestPositions(scores, k) {
  return Array.from(scores.keys())
    .filter((i) => scores[i] > Number.NEGATIVE_INFINITY)
    .sort((a, b) => scores[b] - scores[a] || a - b)
    .slice(0, k);
}

/** @param {Uint32Array} lengths */
function* passageBlocks(lengths) {
  let first = 0;
  let firstRow = 0;
  while (first < lengths.length) {
    let end = first;
    let rows = 0;
    while (end < lengths.length && (end === first || rows + lengths[end] <= ROWS)) rows += lengths[end++];
    yield { first, end, firstRow, rows };
    first = end;
    firstRow += rows;
  }
}

/** Whole queries side by side, transposed: matrix f32 `[dim][columns]`. */
function queryGroups(queries, dim) {
  const groups = [];
  for (let first = 0; first < queries.length; ) {
    let end = first;
    let columns = 0;
    const starts = [];
    while (end < queries.length && (end === first || columns + queries[end].length / dim <= COLUMNS)) {
      starts.push(columns);
      columns += queries[end++].length / dim;
    }
    const matrix = new Float32Array(dim * columns);
    for (let q = first; q < end; q++) {
      queries[q].forEach((value, i) => {
        matrix[(i % dim) * columns + starts[q - first] + Math.floor(i / dim)] = value;
      });
    }
    groups.push({ first, starts: [...starts, columns], columns, matrix });
    first = end;
  }
  return groups;
}

function addScores(similarities, lengths, block, group, scores) {
  const { columns } = group;
  const best = new Float32Array(columns);
  let at = 0;
  for (let p = block.first; p < block.end; p++) {
    best.fill(Number.NEGATIVE_INFINITY);
    for (let t = 0; t < lengths[p]; t++) {
      for (let c = 0; c < columns; c++, at++) if (similarities[at] > best[c]) best[c] = similarities[at];
    }
    for (let q = 0; q + 1 < group.starts.length; q++) {
      let sum = 0;
      for (let c = group.starts[q]; c < group.starts[q + 1]; c++) sum += best[c];
      scores[group.first + q][p] = sum;
    }
  }
}

/** y = a b for a f32 `[rows][dim]` and b f32 `[dim][columns]`. */
class MatrixProduct {
  constructor(session, dim) {
    this.session = session;
    this.dim = dim;
  }

  static async create(dim, threads) {
    const session = await InferenceSession.create(
      matMulModel(dim),
      threads === undefined ? {} : { intraOpNumThreads: threads },
    );
    return new MatrixProduct(session, dim);
  }

  async run(a, rows, b, columns) {
    if (rows === 0) return new Float32Array(0);
    const { y } = await this.session.run({
      a: new Tensor("float32", a, [rows, this.dim]),
      b: new Tensor("float32", b, [this.dim, columns]),
    });
    return y.data;
  }

  release() {
    return this.session.release();
  }
}

/** An ONNX model of one MatMul node, in the protobuf encoding: field numbers are those of onnx.proto. */
function matMulModel(dim) {
  const FLOAT = 1;
  const dimension = (size) => message(1, typeof size === "number" ? integer(1, size) : text(2, size));
  const value = (name, shape) => {
    const tensor = [integer(1, FLOAT), message(2, ...shape.map(dimension))];
    return [text(1, name), message(2, message(1, ...tensor))];
  };
  const node = [text(1, "a"), text(1, "b"), text(2, "y"), text(4, "MatMul")];
  const graph = [
    message(1, ...node),
    text(2, "product"),
    message(11, ...value("a", ["rows", dim])),
    message(11, ...value("b", [dim, "columns"])),
    message(12, ...value("y", ["rows", "columns"])),
  ];
  const irVersion = integer(1, 8);
  const opset = message(8, text(1, ""), integer(2, 13));
  return Buffer.concat([irVersion, message(7, ...graph), opset]);
}

function varint(value) {
  const bytes = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

function integer(field, value) {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

function message(field, ...parts) {
  const body = Buffer.concat(parts);
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
}

function text(field, value) {
  return message(field, Buffer.from(value));
}
