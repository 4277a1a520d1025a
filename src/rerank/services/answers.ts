/** Checks of what services answer: a score for every document, or an error that says what was wrong. */
import { describe } from "../../common/check.js";
import { MaxsimError } from "../../common/errors.js";

export interface ScoreRows {
  /** Where the rows are, for messages, such as "results". */
  readonly place: string;
  /** What should be an array of objects. */
  readonly rows: unknown;
  /** The field of a row that has the score. */
  readonly score: string;
  /** What the service says instead of rows, fit to be shown. */
  readonly said?: string;
}

/**
 * The scores of `count` documents, in their order, from rows `{index, [score]}` in any order. Errors: SERVICE, when there is not
 * exactly one row with a finite score for each document.
 */
export function scoresOf(
  service: string,
  { place, rows, score, said = "" }: ScoreRows,
  count: number,
): Float64Array {
  const wrong = (what: string): MaxsimError =>
    new MaxsimError("SERVICE", `${service} gave an answer that cannot be used: ${what}`, {
      hint: "Check that the address and the model are those of a reranker.",
    });
  if (!Array.isArray(rows)) {
    throw wrong(`${place} is ${describe(rows)}, not an array${said === "" ? "" : ` (${said})`}`);
  }
  const scores = new Float64Array(count);
  const seen = new Set<number>();
  rows.forEach((row: unknown, i) => {
    const { index, [score]: value } = fieldsOf(row);
    if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= count) {
      throw wrong(`${place}[${i}].index is ${describe(index)}, for ${count} documents`);
    }
    if (seen.has(index)) throw wrong(`${place} has document ${index} twice`);
    if (typeof value !== "number" || !Number.isFinite(value)) {
      throw wrong(`${place}[${i}].${score} is ${describe(value)}, not a finite number`);
    }
    seen.add(index);
    scores[index] = value;
  });
  if (seen.size < count) {
    const missing = Array.from(scores.keys()).find((index) => !seen.has(index));
    throw wrong(`${place} has ${seen.size} of ${count} documents, document ${missing} is missing`);
  }
  return scores;
}

/** The fields of an object; none of anything else. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

/** A count of a usage report, 0 where there is none. */
export function countOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0;
}
