/** Which values an operator takes for a field: the same for JSON and for text. */
import type { Field } from "./fields.js";
import { globProblem } from "./glob.js";
import {
  type Condition,
  EQUALITY_OPERATORS,
  FILTER_LIMITS,
  type FilterValue,
  ORDER_OPERATORS,
  TEXT_OPERATORS,
} from "./types.js";

export type Operator = Condition["op"];

export const OPERATORS: readonly Operator[] = [
  ...EQUALITY_OPERATORS,
  ...ORDER_OPERATORS,
  "in",
  "exists",
  "has",
  ...TEXT_OPERATORS,
];

/** `problem` continues a sentence that begins with the operator or value at fault. */
export interface OperandProblem {
  readonly part: "operator" | "value";
  readonly problem: string;
  readonly hint: string;
}

/** True for fields and operators whose values are text whatever they look like. */
export function takesText(op: Operator, field: Field): boolean {
  return field.kind === "text" || includes(TEXT_OPERATORS, op);
}

/** Why the operator cannot be used with the field, or with the value; for `in` called with each value. */
export function operandProblem(op: Operator, field: Field, value: FilterValue): OperandProblem | undefined {
  if (field.kind === "text" && op === "has") {
    return {
      part: "operator",
      problem: `cannot be used with ${field.name}, which is text and no array`,
      hint: "Use =, prefix or glob, or name a field of the metadata.",
    };
  }
  if (typeof value === "string") return stringProblem(op, value);
  if (field.kind === "text") {
    const hint =
      value === null ? `Write not exists ${field.name}.` : "Put the value in quotes if it is text.";
    return { part: "value", problem: `cannot be equal to ${field.name}, which is text`, hint };
  }
  if (includes(TEXT_OPERATORS, op)) {
    return {
      part: "value",
      problem: `cannot be used with ${op}, which takes text`,
      hint: "Put the value in quotes.",
    };
  }
  if (includes(ORDER_OPERATORS, op) && (value === null || typeof value === "boolean")) {
    return {
      part: "value",
      problem: `has no order, so ${op} cannot be used`,
      hint: "Use = or !=, or compare with a number, a string or a date.",
    };
  }
  return undefined;
}

function stringProblem(op: Operator, value: string): OperandProblem | undefined {
  const bytes = Buffer.byteLength(value);
  if (bytes > FILTER_LIMITS.stringBytes) {
    return {
      part: "value",
      problem: `has ${bytes} bytes, more than ${FILTER_LIMITS.stringBytes}`,
      hint: "Compare with a shorter string.",
    };
  }
  const problem = op === "glob" ? globProblem(value) : undefined;
  return problem === undefined ? undefined : { part: "value", ...problem };
}

function includes(operators: readonly Operator[], op: Operator): boolean {
  return operators.includes(op);
}
