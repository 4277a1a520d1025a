/** Grids of parameters that a sweep tries: `nprobe=1,2,4;refine=128,512` are six combinations. */
import { describe } from "../common/check.js";
import { editDistance } from "../common/edit-distance.js";
import { MaxsimError } from "../common/errors.js";

/** One combination: parameter name to value, in the order in which the grid names them. */
export type GridPoint = Readonly<Record<string, string | number>>;

type Values =
  | { readonly kind: "word"; readonly words: readonly string[] }
  | { readonly kind: "integer" | "number"; readonly min: number; readonly max: number };

const integer = (min: number, max = 1_000_000_000): Values => ({ kind: "integer", min, max });
/** Documents that one search can be asked for. */
const MAX_DEPTH = 10_000;

/** What can be tried, and its values. */
const PARAMETERS: ReadonlyMap<string, Values> = new Map<string, Values>([
  ["mode", { kind: "word", words: ["late", "lexical", "hybrid"] }],
  ["effort", { kind: "word", words: ["fast", "balanced", "exact"] }],
  ["nprobe", integer(1)],
  ["approximate", integer(1)],
  ["refine", integer(1)],
  ["margin", { kind: "number", min: 0, max: 1_000_000 }],
  ["rescore", integer(0)],
  ["exhaustiveTokens", integer(0)],
  ["router", { kind: "word", words: ["auto", "scan", "hnsw"] }],
  ["nbits", { kind: "word", words: ["1", "2", "4"] }],
  ["lexicalCandidates", integer(0, MAX_DEPTH)],
  ["method", { kind: "word", words: ["rrf", "scores"] }],
  ["alpha", { kind: "number", min: 0, max: 1 }],
  ["depth", integer(1, MAX_DEPTH)],
]);

/** Names that a grid may have. */
export const GRID_PARAMETERS: readonly string[] = [...PARAMETERS.keys()];

export const MAX_GRID_POINTS = 1000;

/**
 * Every combination that a grid describes; the last parameter changes fastest.
 *
 * @throws INVALID_ARGUMENT naming the part that is wrong, and for more than 1,000 combinations
 */
export function parseGrid(text: string): GridPoint[] {
  const seen = new Set<string>();
  let points: Array<Record<string, string | number>> = [{}];
  for (const part of text.split(";")) {
    const [name = "", list, ...rest] = part.split("=").map((piece) => piece.trim());
    if (list === undefined || rest.length > 0) {
      throw refused(text, `name=value,value was expected, found ${describe(part.trim())}`);
    }
    const values = PARAMETERS.get(name);
    if (values === undefined) throw refused(text, unknownName(name));
    if (seen.has(name)) throw refused(text, `${name} stands there twice`);
    seen.add(name);
    const parsed = list.split(",").map((value) => parseValue(text, name, values, value.trim()));
    points = points.flatMap((point) => [...new Set(parsed)].map((value) => ({ ...point, [name]: value })));
    if (points.length > MAX_GRID_POINTS) throw refused(text, `more than ${MAX_GRID_POINTS} combinations`);
  }
  return points;
}

/** A combination as people write it: `nprobe=4 refine=512`. */
export function formatPoint(point: GridPoint): string {
  return Object.entries(point)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
}

function parseValue(grid: string, name: string, values: Values, text: string): string | number {
  if (values.kind === "word") {
    if (values.words.includes(text)) return name === "nbits" ? Number(text) : text;
    throw refused(grid, `${name} takes ${values.words.join(", ")}, found ${describe(text)}`);
  }
  const value = Number(text);
  const form = values.kind === "integer" ? /^\d+$/ : /^(?:\d+\.?\d*|\.\d+)$/;
  if (!form.test(text) || value < values.min || value > values.max) {
    const what = values.kind === "integer" ? "whole numbers" : "numbers";
    throw refused(grid, `${name} takes ${what} from ${values.min} to ${values.max}, found ${describe(text)}`);
  }
  return value;
}

function unknownName(name: string): string {
  const near = GRID_PARAMETERS.find((known) => editDistance(known.toLowerCase(), name.toLowerCase(), 2) <= 2);
  return `no parameter is called ${describe(name)}${near === undefined ? "" : `; did you mean ${near}?`}`;
}

function refused(grid: string, problem: string): MaxsimError {
  return new MaxsimError("INVALID_ARGUMENT", `the grid ${describe(grid)}: ${problem}`, {
    hint: `For example 'nprobe=1,2,4;refine=128,512'; the parameters are ${GRID_PARAMETERS.join(", ")}.`,
  });
}
