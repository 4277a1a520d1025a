/** Comparison of results bit by bit. */
import { expect } from "vitest";

/** Compares bits, so that -0 and NaN count as what they are. */
export function expectSame(
  found: Record<string, ArrayBufferView>,
  expected: Record<string, ArrayBufferView>,
): void {
  for (const [name, array] of Object.entries(found)) {
    if (Buffer.compare(bytes(array), bytes(expected[name]!)) !== 0) {
      // Only now, because comparing long arrays element by element is slow.
      expect({ [name]: array }).toEqual({ [name]: expected[name] });
      throw new Error(`${name}: equal numbers with different bits`);
    }
  }
}

function bytes(view: ArrayBufferView): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}
