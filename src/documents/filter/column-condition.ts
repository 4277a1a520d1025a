/** Conditions on a column: tested once for each different value, and what is odd about comparing with such values. */
import { describe } from "../../common/check.js";
import type { FieldColumn, ValueKind } from "./field-column.js";
import { formatFilter } from "./format-filter.js";
import { type Comparison, conditionTest, timeTest } from "./match-filter.js";
import { type Condition, type FilterValue, isFilterDate } from "./types.js";

/** Characters of a condition in a note. */
const SHOWN = 60;

/** By code of the column: 1 where the condition is true, else 0. */
export function conditionOnColumn(condition: Condition, column: FieldColumn): Uint8Array {
  if ("value" in condition && condition.op !== "has" && isFilterDate(condition.value)) {
    const test = timeTest(condition.op as Comparison, condition.value);
    return Uint8Array.from(column.times, (time) => (!Number.isNaN(time) && test(time) ? 1 : 0));
  }
  const test = conditionTest(condition);
  return Uint8Array.from(column.values, (value) => (test(value) ? 1 : 0));
}

/** Kinds of values as messages name them. */
const NAMES: Readonly<Record<ValueKind, string>> = {
  text: "text",
  number: "numbers",
  boolean: "true or false",
  null: "null",
  array: "lists",
  object: "objects",
};

/**
 * A sentence when a condition is false for every document because none of them holds a value of the type that it compares
 * with, as with `year >= "2020"` where all years are numbers; undefined otherwise, and where no document has the field.
 */
export function mismatchNote(condition: Condition, column: FieldColumn): string | undefined {
  const held = [...column.kinds].filter((kind) => kind !== "null");
  if (held.length === 0) return undefined;
  const wanted = wantedKinds(condition);
  if (wanted.length === 0 || wanted.some((kind) => column.kinds.has(kind))) {
    return dateNote(condition, column);
  }
  const holds = held.map((kind) => NAMES[kind]).join(" and ");
  return `${condition.field} holds only ${holds}, so ${shown(condition)} is false for every document${advice(condition, held)}`;
}

/** Kinds that the condition can be true for; none where it asks for no kind. */
function wantedKinds(condition: Condition): ValueKind[] {
  switch (condition.op) {
    case "exists":
      return [];
    case "has":
      return ["array"];
    case "prefix":
    case "glob":
      return ["text"];
    case "in":
      return condition.values.map(kindOfValue);
    default:
      // `!= null` asks for any other value.
      return condition.value === null ? [] : [kindOfValue(condition.value)];
  }
}

function kindOfValue(value: FilterValue): ValueKind {
  if (value === null) return "null";
  if (typeof value === "object" || typeof value === "string") return "text";
  return typeof value === "number" ? "number" : "boolean";
}

/** Text is there, but none of it is a date. */
function dateNote(condition: Condition, column: FieldColumn): string | undefined {
  if (!("value" in condition) || condition.op === "has" || !isFilterDate(condition.value)) return undefined;
  if (column.times.some((time) => !Number.isNaN(time))) return undefined;
  const example = column.values.find((value) => typeof value === "string");
  return `${condition.field} holds no ISO date, so ${shown(condition)} is false for every document; it holds text such as ${describe(example)}`;
}

function advice(condition: Condition, held: readonly ValueKind[]): string {
  const [kind] = held;
  if (held.length > 1) return "";
  const equality = condition.op === "=" || condition.op === "in";
  if (kind === "array" && equality) return `; has looks into lists`;
  if (condition.op === "has") return "; compare with = where there is no list";
  const value = "value" in condition ? condition.value : condition.op === "in" ? condition.values[0] : null;
  if (kind === "number" && typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value)))
    return "; write the number without quotes";
  if (kind === "text" && (typeof value === "number" || typeof value === "boolean"))
    return "; write the value in quotes";
  return "";
}

function shown(condition: Condition): string {
  const text = formatFilter(condition);
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN - 3)}...`;
}
