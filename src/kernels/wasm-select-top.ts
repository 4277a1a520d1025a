/** Selection of the highest scores with the WASM kernels. */
import { checkSelectTop } from "./arguments.js";
import type { WasmMemory } from "./wasm-memory.js";

/** See `KernelBackend.selectTop`. Undefined, with nothing done, when the data do not fit into the memory. */
export function selectTop(
  memory: WasmMemory,
  scores: Float32Array,
  limit: number,
  out: Uint32Array,
): number | undefined {
  const count = checkSelectTop(scores, limit, out);
  if (count === scores.length) {
    for (let i = 0; i < count; i++) out[i] = i;
    return count;
  }
  if (count === 0) return 0;
  memory.begin();
  // The kernel works on four scores at a time.
  const keys = memory.take((scores.length + 4) * 4);
  const positions = memory.take(count * 4);
  if (!memory.fits()) return undefined;
  memory.views.f32.set(scores, keys / 4);
  memory.kernels.selectTop(keys, scores.length, count, positions);
  out.set(memory.views.u32.subarray(positions / 4, positions / 4 + count));
  return count;
}
