/**
 * MaxSim over compressed tokens with the WASM kernels, and its approximation by centroids alone.
 *
 * Passages are copied into linear memory in blocks that fit the second-level cache; that costs 5 to 10 ns a token. The
 * score table is copied anew in each call, since it may have changed: whole where the call has many tokens, row by row
 * at the first token that needs it where it has few.
 *
 * Both operations return false, with nothing done, when the data do not fit into the memory.
 */
import { badCode, checkApproximate, checkMaxsim, passageAt, passageEnd } from "./arguments.js";
import type { CompressedTokens, PackedQuery, PassageOffsets, ResidualQuantizer } from "./backend.js";
import type { WasmKernels } from "./wasm-exports.js";
import type { WasmMemory } from "./wasm-memory.js";

/** Tokens and passages of a block; a passage with more tokens is a block of its own. */
const BLOCK_TOKENS = 2048;
const BLOCK_PASSAGES = 512;
/** A row of a table costs as much copied alone (30 to 60 ns) as so many bytes with the whole table. */
const ROW_ALONE_BYTES = 1024;

/** Passages to be scored. */
interface Choice {
  readonly offsets: PassageOffsets;
  readonly passages: Uint32Array | null;
  readonly count: number;
  /** Of all passages together, and of the longest. */
  readonly total: number;
  readonly longest: number;
}

/** Looks at all passages, checking their offsets against the number of tokens. */
function choose(
  offsets: PassageOffsets,
  passages: Uint32Array | null,
  count: number,
  tokens: number,
): Choice {
  let total = 0;
  let longest = 0;
  for (let i = 0; i < count; i++) {
    const passage = passageAt(offsets, passages, i);
    const length = passageEnd(offsets, passage, tokens) - offsets[passage]!;
    total += length;
    if (length > longest) longest = length;
  }
  return { offsets, passages, count, total, longest };
}

/** Addresses of what both operations need. */
interface Staging {
  readonly table: number;
  readonly offsets: number;
  readonly codes: number;
  /** For codes of 16 bits, before they are widened. */
  readonly narrow: number;
  readonly out: number;
  /** Tokens that a block has room for. */
  readonly tokens: number;
}

/** `tableBytes`: of the whole score table. */
function takeStaging(memory: WasmMemory, tableBytes: number, longest: number): Staging {
  const tokens = Math.max(BLOCK_TOKENS, longest);
  return {
    table: memory.take(tableBytes),
    offsets: memory.take((BLOCK_PASSAGES + 1) * 4),
    codes: memory.take((tokens + 8) * 4),
    narrow: memory.take((tokens + 8) * 2),
    out: memory.take(BLOCK_PASSAGES * 4),
    tokens,
  };
}

/** See `KernelBackend.approximate`. */
export function approximate(
  memory: WasmMemory,
  query: PackedQuery,
  bytes: Uint8Array,
  codes: Uint16Array | Uint32Array,
  offsets: PassageOffsets,
  passages: Uint32Array | null,
  out: Float32Array,
): boolean {
  const { size, count } = checkApproximate(query, bytes, codes, offsets, passages, out);
  const choice = choose(offsets, passages, count, codes.length);
  const { lanes } = query;
  memory.begin();
  const staging = takeStaging(memory, size * lanes, choice.longest);
  if (!memory.fits()) return false;

  const { kernels } = memory;
  const rows = new TableRows(memory.views.u8, staging.table, bytes, lanes, choice.total);
  forEachBlock(memory, staging, choice, codes, rows, undefined, out, (here) => {
    kernels.approximate(here, staging.offsets, staging.codes, staging.table, lanes, staging.out);
  });
  return true;
}

/** See `KernelBackend.maxsim`. */
export function maxsim(
  memory: WasmMemory,
  query: PackedQuery,
  quantizer: ResidualQuantizer,
  table: Float32Array,
  tokens: CompressedTokens,
  offsets: PassageOffsets,
  passages: Uint32Array | null,
  out: Float32Array,
): boolean {
  const { size, count, bytes } = checkMaxsim(query, quantizer, table, tokens, offsets, passages, out);
  const { codes, residuals, inverseNorms } = tokens;
  const choice = choose(offsets, passages, count, codes.length);
  const { lanes, dim } = query;
  memory.begin();
  const queryValues = memory.take(dim * lanes);
  const weights = memory.take(16);
  const staging = takeStaging(memory, size * lanes * 4, choice.longest);
  const scales = memory.take(lanes * 4);
  const planes = memory.take(staging.tokens * bytes);
  const norms = memory.take(staging.tokens * 2);
  if (!memory.fits()) return false;

  const { kernels } = memory;
  const { i8, u8, u16, f32 } = memory.views;
  f32.set(query.scales, scales / 4);
  i8.set(query.values, queryValues);
  u8.set(quantizer.weights, weights);
  kernels.putQuery(queryValues, lanes, dim);
  const rows = new TableRows(f32, staging.table / 4, table, lanes, choice.total);
  /** Copies tokens `begin` .. `end` - 1 to the place of token `at` of the block. */
  const copyTokens = (begin: number, end: number, at: number): void => {
    u8.set(residuals.subarray(begin * bytes, end * bytes), planes + at * bytes);
    u16.set(inverseNorms.subarray(begin, end), norms / 2 + at);
  };
  forEachBlock(memory, staging, choice, codes, rows, copyTokens, out, (here) => {
    kernels.maxsim(
      here,
      staging.offsets,
      staging.codes,
      planes,
      norms,
      staging.table,
      lanes,
      query.tokens,
      dim,
      quantizer.nbits,
      weights,
      quantizer.weightScale,
      scales,
      staging.out,
    );
  });
  return true;
}

/** A score table in linear memory, as far as it is needed. */
class TableRows<Table extends Float32Array | Uint8Array> {
  private readonly size: number;
  private readonly target: Table;
  private readonly start: number;
  private readonly table: Table;
  private readonly lanes: number;
  /** 1 for rows that are there; undefined when all are. */
  private readonly present: Uint8Array | undefined;

  /** `target` is all of linear memory, and the table's place in it begins with element `start`. */
  constructor(target: Table, start: number, table: Table, lanes: number, tokens: number) {
    this.size = table.length / lanes;
    this.target = target;
    this.start = start;
    this.table = table;
    this.lanes = lanes;
    if (table.byteLength < tokens * ROW_ALONE_BYTES) target.set(table, start);
    else this.present = new Uint8Array(this.size);
  }

  /**
   * Makes sure that the rows of codes, u32 at an address of linear memory, are there.
   * @throws RangeError when there is no such row.
   */
  provide(kernels: WasmKernels, u32: Uint32Array, codes: number, count: number): void {
    const highest = kernels.highestCode(codes, count) >>> 0;
    if (highest >= this.size) throw badCode(highest, this.size);
    if (this.present === undefined) return;
    const { present, lanes, target, start, table } = this;
    for (let t = codes / 4; t < codes / 4 + count; t++) {
      const code = u32[t]!;
      if (present[code] === 1) continue;
      present[code] = 1;
      for (let cell = code * lanes; cell < (code + 1) * lanes; cell++) target[start + cell] = table[cell]!;
    }
  }
}

/** Fills linear memory with one block of passages after the other and lets `score` work on each. */
function forEachBlock(
  memory: WasmMemory,
  staging: Staging,
  { offsets, passages, count }: Choice,
  codes: Uint16Array | Uint32Array,
  rows: TableRows<Float32Array | Uint8Array>,
  copyTokens: ((begin: number, end: number, at: number) => void) | undefined,
  out: Float32Array,
  score: (passages: number) => void,
): void {
  const { u16, u32, f32 } = memory.views;
  const offsetsAt = staging.offsets / 4;
  const outAt = staging.out / 4;
  /** Copies tokens `begin` .. `end` - 1 to the place of token `at` of the block. */
  const copy = (begin: number, end: number, at: number): void => {
    if (begin === end) return;
    const part = codes.subarray(begin, end);
    if (part instanceof Uint16Array) u16.set(part, staging.narrow / 2 + at);
    else u32.set(part, staging.codes / 4 + at);
    copyTokens?.(begin, end, at);
  };
  for (let first = 0; first < count; ) {
    let here = 0;
    let tokens = 0;
    // Tokens of neighbouring passages are copied together: those from runBegin to runEnd - 1 are still to be.
    let runBegin = 0;
    let runEnd = 0;
    u32[offsetsAt] = 0;
    while (here < BLOCK_PASSAGES && first + here < count) {
      const passage = passages === null ? first + here : passages[first + here]!;
      const begin = offsets[passage]!;
      const end = offsets[passage + 1]!;
      if (tokens + end - begin > staging.tokens) break;
      if (begin !== runEnd) {
        copy(runBegin, runEnd, tokens - (runEnd - runBegin));
        runBegin = begin;
      }
      runEnd = end;
      tokens += end - begin;
      here++;
      u32[offsetsAt + here] = tokens;
    }
    copy(runBegin, runEnd, tokens - (runEnd - runBegin));
    if (codes instanceof Uint16Array) memory.kernels.widenCodes(staging.narrow, tokens, staging.codes);
    rows.provide(memory.kernels, u32, staging.codes, tokens);
    score(here);
    out.set(f32.subarray(outAt, outAt + here), first);
    first += here;
  }
}
