/** Whether two systems differ by more than chance: Fisher's paired randomization test. */
import { checkInteger } from "../common/check.js";
import { MaxsimError } from "../common/errors.js";
import { Random } from "../common/random.js";
import { mean } from "./evaluate.js";

export interface CompareOptions {
  /** Random assignments of signs. Default 10,000. */
  readonly rounds?: number;
  /** Default 42; the same seed gives the same p value. */
  readonly seed?: number;
}

export interface Comparison {
  readonly queries: number;
  readonly meanA: number;
  readonly meanB: number;
  /** meanB - meanA. */
  readonly difference: number;
  /** Queries on which B is better, worse, and the same. */
  readonly wins: number;
  readonly losses: number;
  readonly ties: number;
  /** Two-sided: the chance of a difference at least this large if the systems were interchangeable. */
  readonly pValue: number;
  /** Whether every assignment of signs was tried, instead of a random sample of them. */
  readonly exact: boolean;
}

const DEFAULT_ROUNDS = 10_000;
const DEFAULT_SEED = 42;
/** Sums of the same numbers in another order differ by rounding; so much counts as equal. */
const TOLERANCE = 1e-12;

/**
 * Compares two systems by their values for each query (`Evaluation.perQuery` of one metric): under the null
 * hypothesis the sign of each query's difference is a coin toss (Smucker, Allan and Carterette, CIKM 2007). All 2^n
 * assignments are tried where that is no more work than `rounds`; queries without a difference need no toss.
 * Otherwise the p value is (1 + extreme rounds) / (1 + rounds), so it is never 0.
 *
 * @throws INVALID_ARGUMENT when the two do not cover the same queries
 */
export function compareSystems(
  a: ReadonlyMap<string, number>,
  b: ReadonlyMap<string, number>,
  options: CompareOptions = {},
): Comparison {
  const rounds = checkInteger("rounds", options.rounds ?? DEFAULT_ROUNDS, 1, 10_000_000);
  const seed = checkInteger("seed", options.seed ?? DEFAULT_SEED, 0, 0xffffffff);
  const differences = pairedDifferences(a, b);
  const moving = differences.filter((difference) => difference !== 0);
  const exact = 2 ** moving.length <= rounds;
  const meanA = mean([...a.values()]);
  const meanB = mean([...b.values()]);
  return {
    queries: differences.length,
    meanA,
    meanB,
    difference: meanB - meanA,
    wins: moving.filter((difference) => difference > 0).length,
    losses: moving.filter((difference) => difference < 0).length,
    ties: differences.length - moving.length,
    pValue: exact ? exactPValue(moving) : sampledPValue(moving, rounds, new Random(seed)),
    exact,
  };
}

/** Differences b - a in the order of query ids, so that the order of the maps does not decide the p value. */
function pairedDifferences(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number[] {
  const only = [...a.keys()].find((id) => !b.has(id)) ?? [...b.keys()].find((id) => !a.has(id));
  if (only !== undefined) {
    throw new MaxsimError(
      "INVALID_ARGUMENT",
      `both systems must have a value for the same queries, found ${only} in one of them`,
      { hint: "Evaluate both runs with the same judgements." },
    );
  }
  if (a.size === 0)
    throw new MaxsimError("INVALID_ARGUMENT", "a comparison needs at least one query, found none");
  return [...a.keys()].sort().map((id) => (b.get(id) ?? 0) - (a.get(id) ?? 0));
}

function exactPValue(differences: readonly number[]): number {
  const assignments = 2 ** differences.length;
  const limit = Math.abs(sumOf(differences, () => false)) - TOLERANCE;
  let extreme = 0;
  for (let signs = 0; signs < assignments; signs++) {
    if (Math.abs(sumOf(differences, (i) => ((signs >>> i) & 1) === 1)) >= limit) extreme++;
  }
  return extreme / assignments;
}

function sampledPValue(differences: readonly number[], rounds: number, random: Random): number {
  const limit = Math.abs(sumOf(differences, () => false)) - TOLERANCE;
  let extreme = 0;
  for (let round = 0; round < rounds; round++) {
    if (Math.abs(sumOf(differences, () => random.uint32() >= 0x80000000)) >= limit) extreme++;
  }
  return (1 + extreme) / (1 + rounds);
}

function sumOf(differences: readonly number[], flip: (i: number) => boolean): number {
  let sum = 0;
  for (let i = 0; i < differences.length; i++) sum += flip(i) ? -differences[i]! : differences[i]!;
  return sum;
}
