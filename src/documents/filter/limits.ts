/** The bounds of a whole filter. */
import { MaxsimError } from "../../common/errors.js";
import { FILTER_LIMITS, type Filter, type FilterValue } from "./types.js";

/** What a date counts; the longest has 35. Null counts as much. */
const DATE_BYTES = 10;

/** Counts what a filter may hold; made once a filter. */
export class Budget {
  private nodes = 0;
  private bytes = 0;

  /** @param name what messages call the filter. */
  constructor(private readonly name: string) {}

  /** @param depth 1 for the outermost. */
  addNode(depth: number): void {
    if (depth > FILTER_LIMITS.depth) {
      throw this.tooLarge(`is nested in more than ${FILTER_LIMITS.depth} levels`, "Nest less deeply.");
    }
    if (++this.nodes > FILTER_LIMITS.nodes) {
      throw this.tooLarge(
        `has more than ${FILTER_LIMITS.nodes} conditions and operators`,
        "Compare one field with many values by in.",
      );
    }
  }

  addField(field: string): void {
    this.addBytes(Buffer.byteLength(field));
  }

  addValues(values: readonly FilterValue[]): void {
    if (values.length > FILTER_LIMITS.values) {
      throw this.tooLarge(
        `has an in with ${values.length} values, more than ${FILTER_LIMITS.values}`,
        "Divide the values among several calls.",
      );
    }
    for (const value of values) this.addValue(value);
  }

  /** Also for values that are not checked yet: counts each as at least one byte. */
  addValue(value: FilterValue): void {
    if (typeof value === "object") this.addBytes(DATE_BYTES);
    else this.addBytes(Math.max(1, Buffer.byteLength(String(value))));
  }

  private addBytes(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > FILTER_LIMITS.totalBytes) {
      throw this.tooLarge(
        `has fields and values of more than ${FILTER_LIMITS.totalBytes} bytes`,
        "Divide the values among several calls.",
      );
    }
  }

  private tooLarge(problem: string, hint: string): MaxsimError {
    return new MaxsimError("INVALID_FILTER", `${this.name} ${problem}`, { hint });
  }
}

/** Errors: INVALID_FILTER. */
export function checkLimits(filter: Filter, name: string): void {
  const budget = new Budget(name);
  const visit = (node: Filter, depth: number): void => {
    budget.addNode(depth);
    if (node.op === "and" || node.op === "or") {
      for (const part of node.filters) visit(part, depth + 1);
    } else if (node.op === "not") {
      visit(node.filter, depth + 1);
    } else {
      budget.addField(node.field);
      if (node.op === "in") budget.addValues(node.values);
      else if (node.op !== "exists") budget.addValue(node.value);
    }
  };
  visit(filter, 1);
}
