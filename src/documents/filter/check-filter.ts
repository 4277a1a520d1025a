/** Filters that come as JSON: checked, and brought into the full form. */
import { describe } from "../../common/check.js";
import { MaxsimError } from "../../common/errors.js";
import { toWellFormed } from "../json-text.js";
import { parseDate } from "./dates.js";
import { parseField } from "./field-names.js";
import { type Field, formatField } from "./fields.js";
import { Budget, checkLimits } from "./limits.js";
import { OPERATORS, type Operator, operandProblem } from "./operands.js";
import { type Filter, type FilterValue, isFilterDate } from "./types.js";
import { withoutSign } from "./words.js";

const CONNECTIVES = ["and", "or", "not"] as const;

/**
 * The filter that JSON of the full or the short form means: fields are written in the one way, `and` and `or` of one
 * filter are that filter. What it gives back, it accepts unchanged. Errors: INVALID_FILTER naming the place.
 * @param name what messages call the filter.
 */
export function checkFilter(json: unknown, name = "filter"): Filter {
  const filter = new FilterCheck(name).filter(json, name, 1);
  // Unwrapping can only make it smaller, short forms become conditions.
  checkLimits(filter, name);
  return filter;
}

function invalid(where: string, expected: string, found: unknown, hint?: string): MaxsimError {
  const message = `${where} must be ${expected}, found ${describe(found)}`;
  return new MaxsimError("INVALID_FILTER", message, hint === undefined ? {} : { hint });
}

/** Own properties of a plain object; a map, so that no name reaches a prototype. */
type Properties = ReadonlyMap<string, unknown>;

class FilterCheck {
  /** Stops the descent into input of any depth and width before it costs much. */
  private readonly budget: Budget;

  constructor(name: string) {
    this.budget = new Budget(name);
  }

  filter(json: unknown, where: string, depth: number): Filter {
    this.budget.addNode(depth);
    const properties = propertiesOf(json, where);
    if (!properties.has("op")) return this.shortForm(properties, where, depth);
    const op = properties.get("op");
    if (op === "and" || op === "or") return this.joined(op, properties, where, depth);
    if (op === "not") {
      refuseOthers(properties, ["op", "filter"], where);
      return { op, filter: this.filter(properties.get("filter"), `${where}.filter`, depth + 1) };
    }
    return this.condition(operatorOf(op, where), properties, where);
  }

  private joined(op: "and" | "or", properties: Properties, where: string, depth: number): Filter {
    refuseOthers(properties, ["op", "filters"], where);
    const json = properties.get("filters");
    if (!Array.isArray(json) || json.length === 0) {
      throw invalid(
        `${where}.filters`,
        "an array of at least one filter",
        json,
        "Pass no filter to find everything.",
      );
    }
    const filters = json.map((part: unknown, i) => this.filter(part, `${where}.filters[${i}]`, depth + 1));
    return filters.length === 1 && filters[0] !== undefined ? filters[0] : { op, filters };
  }

  private shortForm(properties: Properties, where: string, depth: number): Filter {
    if (properties.size === 0) {
      throw invalid(
        where,
        "an object with op, or with fields and their values",
        {},
        "Pass no filter to find everything.",
      );
    }
    const filters: Filter[] = [];
    for (const [name, json] of properties) {
      this.budget.addNode(depth);
      const at = `${where}[${describe(name)}]`;
      const field = parseField(name, `${where}: the field ${describe(name)}`);
      if (Array.isArray(json)) {
        filters.push({ op: "in", field: formatField(field), values: this.values(json, field, at) });
      } else {
        filters.push({ op: "=", field: formatField(field), value: this.value("=", json, field, at) });
      }
    }
    const [only] = filters;
    return filters.length === 1 && only !== undefined ? only : { op: "and", filters };
  }

  private condition(op: Operator, properties: Properties, where: string): Filter {
    const name = properties.get("field");
    if (typeof name !== "string") throw invalid(`${where}.field`, "the name of a field", name);
    const field = parseField(name, `${where}.field`);
    const written = formatField(field);
    if (op === "exists") {
      refuseOthers(properties, ["op", "field"], where);
      return { op, field: written };
    }
    if (op === "in") {
      refuseOthers(properties, ["op", "field", "values"], where);
      const values = this.values(properties.get("values"), field, `${where}.values`);
      return { op, field: written, values };
    }
    refuseOthers(properties, ["op", "field", "value"], where);
    const value = this.value(op, properties.get("value"), field, `${where}.value`);
    // The operator took the value, so the types agree.
    return { op, field: written, value } as Filter;
  }

  private values(json: unknown, field: Field, where: string): FilterValue[] {
    if (!Array.isArray(json) || json.length === 0)
      throw invalid(where, "an array of at least one value", json);
    this.budget.addValues(json as readonly FilterValue[]);
    return json.map((value: unknown, i) => this.value("in", value, field, `${where}[${i}]`));
  }

  private value(op: Operator, json: unknown, field: Field, where: string): FilterValue {
    const value = valueOfJson(json, where);
    const problem = operandProblem(op, field, value);
    if (problem === undefined) return value;
    const subject = problem.part === "operator" ? op : isFilterDate(value) ? value.date : describe(value);
    throw new MaxsimError("INVALID_FILTER", `${where}: ${subject} ${problem.problem}`, {
      hint: problem.hint,
    });
  }
}

function operatorOf(op: unknown, where: string): Operator {
  const known = OPERATORS.find((operator) => operator === op);
  if (known !== undefined) return known;
  throw invalid(
    `${where}.op`,
    `one of ${[...CONNECTIVES, ...OPERATORS].join(" ")}`,
    op,
    'A field called op is compared in the full form: { op: "=", field: "op", value }.',
  );
}

function valueOfJson(json: unknown, where: string): FilterValue {
  if (json === null || typeof json === "boolean") return json;
  if (typeof json === "string") return toWellFormed(json);
  if (typeof json === "number" && Number.isFinite(json)) return withoutSign(json);
  if (json instanceof Date) {
    throw invalid(where, "JSON", json, "Write { date: value.toISOString() } to compare by time.");
  }
  const expected = "a string, a finite number, true, false, null or { date }";
  if (typeof json !== "object" || Array.isArray(json)) throw invalid(where, expected, json);
  const properties = propertiesOf(json, where);
  const date = properties.get("date");
  if (properties.size !== 1 || typeof date !== "string") {
    throw invalid(where, expected, json, 'A field of a nested object is named with dots: "author.name".');
  }
  if (parseDate(date) === undefined) {
    throw invalid(`${where}.date`, "an ISO date such as 2024-05-31 or 2024-05-31T10:00:00Z", date);
  }
  return { date: date.replace(" ", "T") };
}

function propertiesOf(json: unknown, where: string): Properties {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw invalid(where, "an object", json, "The text form is read by parseFilter.");
  }
  return new Map(Object.entries(json).filter(([, value]) => value !== undefined));
}

function refuseOthers(properties: Properties, known: readonly string[], where: string): void {
  for (const key of properties.keys()) {
    if (known.includes(key)) continue;
    throw new MaxsimError(
      "INVALID_FILTER",
      `${where} has the key ${describe(key)}, expected ${known.join(", ")}`,
      {
        hint: "Correct or remove the key.",
      },
    );
  }
}
