/** Token vectors as callers hand them over: checked, flattened and L2-normalized. */
import { describe } from "../common/check.js";
import { MaxsimError } from "../common/errors.js";

export type VectorRows = Float32Array | readonly (Float32Array | readonly number[])[];

/**
 * Rows one after another, f32 `[count][dim]`, each of norm 1. `name` is for messages, such as `document "a"`.
 * Errors: DIMENSION_MISMATCH, INVALID_VECTOR (a component is not finite, or a row is zero).
 */
export function normalizedRows(name: string, rows: VectorRows, dim: number): Float32Array {
  const flat = rows instanceof Float32Array ? rows.slice() : flatten(name, rows, dim);
  if (flat.length % dim !== 0) {
    throw new MaxsimError(
      "DIMENSION_MISMATCH",
      `${name}: ${flat.length} components are not a whole number of vectors of dimension ${dim}`,
    );
  }
  for (let at = 0; at < flat.length; at += dim) normalizeRow(name, flat, at, dim);
  return flat;
}

/** One vocabulary id a vector. Errors: INVALID_VECTOR for another number of ids, or one that is not an integer from 0 to 2^32 - 1. */
export function checkedTokenIds(name: string, ids: ArrayLike<number>, count: number): Uint32Array {
  const checked = Uint32Array.from(ids);
  if (checked.length !== count) {
    throw new MaxsimError("INVALID_VECTOR", `${name} has ${count} vectors and ${checked.length} token ids`, {
      hint: "Give one vocabulary id for each vector, or none at all.",
    });
  }
  const wrong = checked.findIndex((id, i) => id !== ids[i]);
  if (wrong >= 0) {
    throw new MaxsimError(
      "INVALID_VECTOR",
      `${name}: token id ${wrong} must be an integer from 0 to 2^32 - 1, found ${String(ids[wrong])}`,
    );
  }
  return checked;
}

function flatten(
  name: string,
  rows: readonly (Float32Array | readonly number[])[],
  dim: number,
): Float32Array {
  if (!Array.isArray(rows)) {
    throw new MaxsimError(
      "INVALID_VECTOR",
      `${name}: vectors must be a Float32Array or rows, found ${describe(rows)}`,
    );
  }
  const flat = new Float32Array(rows.length * dim);
  for (const [i, row] of rows.entries()) {
    if (row.length !== dim) {
      throw new MaxsimError(
        "DIMENSION_MISMATCH",
        `${name}: vector ${i} has dimension ${row.length}, expected ${dim}`,
      );
    }
    flat.set(row, i * dim);
  }
  return flat;
}

function normalizeRow(name: string, rows: Float32Array, at: number, dim: number): void {
  let square = 0;
  for (let d = at; d < at + dim; d++) square += rows[d]! * rows[d]!;
  const token = at / dim;
  if (!Number.isFinite(square)) {
    throw new MaxsimError(
      "INVALID_VECTOR",
      `${name}: vector ${token} has a component that is not a finite number`,
    );
  }
  if (square === 0) {
    throw new MaxsimError("INVALID_VECTOR", `${name}: vector ${token} is zero and has no direction`, {
      hint: "Leave padding vectors out.",
    });
  }
  const norm = Math.sqrt(square);
  for (let d = at; d < at + dim; d++) rows[d] = rows[d]! / norm;
}
