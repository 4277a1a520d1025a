/**
 * Filters as conditions of SQL over a row of `documents`. Values and the paths of fields are bound, so no text of a
 * filter ever becomes SQL. Every condition is 0 or 1 and never NULL, which makes NOT plain negation.
 */
import { checkFilter } from "./check-filter.js";
import { parseDate } from "./dates.js";
import { parseField } from "./field-names.js";
import type { Field } from "./fields.js";
import { GLOB_FUNCTION, TIME_FUNCTION } from "./functions.js";
import {
  type Condition,
  type EqualityOperator,
  type Filter,
  type FilterDate,
  type FilterValue,
  isFilterDate,
  type OrderOperator,
  type TextField,
  type TextOperator,
} from "./types.js";

export interface CompiledFilter {
  /**
   * A condition over the table or alias `documents` (columns id, title, url, source_path, metadata), in parentheses
   * where needed, for any place where SQL takes an operand of AND.
   */
  readonly sql: string;
  /** For its `?`, in order. */
  readonly parameters: readonly (string | number)[];
}

/** The plus keeps SQLite from using an index, which has no checksum: damage to it would hide documents. */
const COLUMNS: Readonly<Record<TextField, string>> = {
  id: "+documents.id",
  title: "documents.title",
  url: "documents.url",
  path: "+documents.source_path",
};

/**
 * The connection that runs it needs `registerFilterFunctions`. Errors: INVALID_FILTER, for a filter that `checkFilter`
 * would refuse.
 */
export function compileFilter(filter: Filter): CompiledFilter {
  return compile(checkFilter(filter));
}

/** The value of a field as JSON text, NULL where it is missing. */
export function fieldSource(field: Field): CompiledFilter {
  if (field.kind === "metadata") return sql`(documents.metadata -> ${metadataPath(field.keys)})`;
  const column = verbatim(COLUMNS[field.name]);
  return sql`(CASE WHEN ${column} IS NOT NULL THEN json_quote(${column}) END)`;
}

/** SQL and what it binds, put together in step. */
interface Sql {
  readonly sql: string;
  readonly parameters: readonly (string | number)[];
}

/** A template of SQL: numbers and strings become `?`, other SQL is put in. */
function sql(texts: TemplateStringsArray, ...parts: readonly (string | number | Sql)[]): Sql {
  let text = texts[0] ?? "";
  const parameters: (string | number)[] = [];
  parts.forEach((part, i) => {
    if (typeof part === "object") {
      text += part.sql;
      parameters.push(...part.parameters);
    } else {
      text += "?";
      parameters.push(part);
    }
    text += texts[i + 1] ?? "";
  });
  return { sql: text, parameters };
}

/** SQL of this module itself. */
function verbatim(text: string): Sql {
  return { sql: text, parameters: [] };
}

function join(parts: readonly Sql[], operator: "AND" | "OR"): Sql {
  return {
    sql: `(${parts.map((part) => part.sql).join(` ${operator} `)})`,
    parameters: parts.flatMap((part) => part.parameters),
  };
}

function compile(filter: Filter): Sql {
  switch (filter.op) {
    case "and":
      return join(filter.filters.map(compile), "AND");
    case "or":
      return join(filter.filters.map(compile), "OR");
    case "not":
      return sql`(NOT ${compile(filter.filter)})`;
    default: {
      const field = parseField(filter.field);
      return field.kind === "text" ? onColumn(field.name, filter) : onMetadata(field.keys, filter);
    }
  }
}

/** Conditions over a column, whose values are strings or missing. */
function onColumn(field: TextField, condition: Condition): Sql {
  const column = verbatim(COLUMNS[field]);
  if (condition.op === "exists") return sql`(${column} IS NOT NULL)`;
  const test =
    condition.op === "in"
      ? isOneOf(column, stringsOf(condition.values))
      : textTest(column, condition.op as TextTest, condition.value as string);
  return sql`((${test}) IS TRUE)`;
}

/** A value of JSON in SQL: its type as json_type names it, NULL for a missing field, and itself. */
interface JsonSource {
  readonly type: Sql;
  readonly value: Sql;
}

const ELEMENT: JsonSource = { type: verbatim("element.type"), value: verbatim("element.value") };

/** As SQLite's JSON functions take it. */
function metadataPath(keys: readonly string[]): string {
  return `$${keys.map((key) => `.${JSON.stringify(key)}`).join("")}`;
}

function onMetadata(keys: readonly string[], condition: Condition): Sql {
  const path = metadataPath(keys);
  const field: JsonSource = {
    type: sql`json_type(documents.metadata, ${path})`,
    value: sql`json_extract(documents.metadata, ${path})`,
  };
  switch (condition.op) {
    case "exists":
      return sql`(${field.type} IS NOT NULL)`;
    case "in":
      return isAmong(field, condition.values);
    case "has": {
      // A scalar counts as an element of its own, so the type has to be asked for as well.
      const found = comparison(ELEMENT, "=", condition.value);
      const exists = sql`EXISTS (SELECT 1 FROM json_each(documents.metadata, ${path}) AS element WHERE ${found})`;
      return sql`(CASE WHEN ${exists} THEN ${field.type} = 'array' ELSE 0 END)`;
    }
    case "prefix":
    case "glob":
      return ofText(field, textTest(field.value, condition.op, condition.value));
    default:
      return comparison(field, condition.op, condition.value);
  }
}

type Comparison = EqualityOperator | OrderOperator;
type TextTest = Comparison | TextOperator;

/** 0 for values of another type, and for missing ones. */
function ofText(source: JsonSource, test: Sql): Sql {
  return sql`(CASE ${source.type} WHEN 'text' THEN ${test} ELSE 0 END)`;
}

function ofNumbers(source: JsonSource, test: Sql): Sql {
  return sql`(CASE WHEN ${source.type} IN ('integer', 'real') THEN ${test} ELSE 0 END)`;
}

function comparison(source: JsonSource, op: Comparison, value: FilterValue): Sql {
  if (value === null) {
    return op === "=" ? sql`(${source.type} IS 'null')` : sql`((${source.type} <> 'null') IS TRUE)`;
  }
  if (typeof value === "boolean") {
    return sql`(${source.type} IS ${verbatim((op === "=") === value ? "'true'" : "'false'")})`;
  }
  if (typeof value === "string") return ofText(source, textTest(source.value, op, value));
  if (typeof value === "number")
    return ofNumbers(source, sql`${asNumber(source.value)} ${verbatim(op)} ${value}`);
  return ofText(source, sql`(${timeOf(source.value)} ${verbatim(op)} ${timeOfDate(value)}) IS TRUE`);
}

/**
 * JavaScript writes a double from 2^53 up with the fewest digits that tell it from its neighbours; SQLite reads these
 * digits as an integer of 64 bits, which is another number until it is a double again.
 */
function asNumber(value: Sql): Sql {
  return sql`CAST(${value} AS REAL)`;
}

function timeOf(value: Sql): Sql {
  return sql`${verbatim(TIME_FUNCTION)}(${value})`;
}

function timeOfDate(value: FilterDate): number {
  return parseDate(value.date) as number;
}

/** For a `text` that is a string. */
function textTest(text: Sql, op: TextTest, value: string): Sql {
  if (op === "glob") return sql`${verbatim(GLOB_FUNCTION)}(${value}, ${text})`;
  if (op !== "prefix") return sql`${text} ${verbatim(op)} ${value}`;
  const end = afterPrefix(value);
  return end === undefined ? sql`${text} >= ${value}` : sql`(${text} >= ${value} AND ${text} < ${end})`;
}

/** The first string in the order of code points that is greater than all that begin with `prefix`. */
function afterPrefix(prefix: string): string | undefined {
  const codes = Array.from(prefix, (char) => char.codePointAt(0) as number);
  for (let last = codes.pop(); last !== undefined; last = codes.pop()) {
    if (last === 0x10ffff) continue;
    // There are no characters from U+D800 to U+DFFF.
    codes.push(last === 0xd7ff ? 0xe000 : last + 1);
    return String.fromCodePoint(...codes);
  }
  return undefined;
}

/** `values` as one bound array, so that their number is not that of the parameters. */
function isOneOf(value: Sql, values: readonly (string | number)[]): Sql {
  return sql`${value} IN (SELECT value FROM json_each(${JSON.stringify(values)}))`;
}

/** Equal to one of the values, each compared with its own type. */
function isAmong(source: JsonSource, values: readonly FilterValue[]): Sql {
  const strings = stringsOf(values);
  const numbers = values.filter((value) => typeof value === "number");
  const times = values.filter(isFilterDate).map(timeOfDate);
  const constants = new Set(values.filter((value) => value === null || typeof value === "boolean"));
  const tests = [...constants].map((value) => comparison(source, "=", value));
  if (strings.length > 0) tests.push(ofText(source, isOneOf(source.value, strings)));
  if (numbers.length > 0) {
    const listed = sql`(SELECT CAST(value AS REAL) FROM json_each(${JSON.stringify(numbers)}))`;
    tests.push(ofNumbers(source, sql`${asNumber(source.value)} IN ${listed}`));
  }
  if (times.length > 0) tests.push(ofText(source, sql`(${isOneOf(timeOf(source.value), times)}) IS TRUE`));
  return join(tests, "OR");
}

function stringsOf(values: readonly FilterValue[]): string[] {
  return values.filter((value) => typeof value === "string");
}
