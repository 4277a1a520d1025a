/**
 * The text form of filters: `lang = en and year >= 2020 and not tags has draft`.
 *
 *     filter    = all ("or" all)*
 *     all       = one ("and" one)*
 *     one       = "not" one | "(" filter ")" | "exists" field | field condition
 *     condition = ("=" | "!=" | "<" | "<=" | ">" | ">=" | "has" | "prefix" | "glob") value
 *               | "in" "(" value ("," value)* ")"
 *     field     = key ("." key)*
 *     key       = word | quoted
 *     value     = word | quoted
 *
 * A word as a value is a number, a date, true, false or null when it looks like one, and text otherwise; what is in
 * quotes is always text, and so is every value for a field or operator that takes only text. Words of the language do
 * not depend on case.
 */
import { describe } from "../../common/check.js";
import { MaxsimError } from "../../common/errors.js";
import { toWellFormed } from "../json-text.js";
import { readField } from "./field-names.js";
import { type Field, formatField } from "./fields.js";
import { checkLimits } from "./limits.js";
import { OPERATORS, type Operator, operandProblem, takesText } from "./operands.js";
import { Scanner, type Span } from "./scanner.js";
import { FILTER_LIMITS, type Filter, type FilterValue } from "./types.js";
import { valueOfWord } from "./words.js";

/** What users of other languages write, and what it is here. */
const FOREIGN: ReadonlyMap<string, string> = new Map([
  ["==", "Write = for equality."],
  ["===", "Write = for equality."],
  ["!==", "Write != for inequality."],
  ["<>", "Write != for inequality."],
  ["=<", "Write <=."],
  ["=>", "Write >=."],
  ["&", "Write and."],
  ["&&", "Write and."],
  ["|", "Write or."],
  ["||", "Write or."],
  ["!", "Write not."],
  ["is", "Write = null, or exists before the field."],
  ["like", "Write prefix for the beginning of a text, glob for a pattern of paths."],
  ["contains", "Write has for an element of an array."],
  ["between", "Write two conditions with >= and <=."],
  ["not", "Write not before the field."],
  ["exists", "Write exists before the field."],
]);

/** Errors: INVALID_FILTER with the place shown. @param name what messages call the text. */
export function parseFilter(text: string, name = "the filter"): Filter {
  if (typeof text !== "string") {
    throw new MaxsimError("INVALID_FILTER", `${name} must be text, found ${describe(text)}`);
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > FILTER_LIMITS.totalBytes) {
    throw new MaxsimError(
      "INVALID_FILTER",
      `${name} has ${bytes} bytes, more than ${FILTER_LIMITS.totalBytes}`,
      {
        hint: "Say it with fewer conditions.",
      },
    );
  }
  const filter = new FilterParser(new Scanner(toWellFormed(text), name)).parse();
  checkLimits(filter, name);
  return filter;
}

class FilterParser {
  constructor(private readonly scanner: Scanner) {}

  parse(): Filter {
    const filter = this.either(1);
    if (this.scanner.atEnd) return filter;
    throw this.scanner.expected("and, or, or the end", this.hint("Put text with spaces or signs in quotes."));
  }

  private either(depth: number): Filter {
    return this.joined("or", () => this.joined("and", () => this.one(depth)));
  }

  private joined(op: "and" | "or", part: () => Filter): Filter {
    const first = part();
    if (!this.scanner.takeKeyword(op)) return first;
    const filters = [first];
    do filters.push(part());
    while (this.scanner.takeKeyword(op));
    return { op, filters };
  }

  /** Reads the space around it, too. @param depth 1 outside of `not` and parentheses. */
  private one(depth: number): Filter {
    const { scanner } = this;
    scanner.skipSpace();
    if (depth > FILTER_LIMITS.depth) {
      throw scanner.error(
        scanner.next(),
        `not and parentheses are nested in more than ${FILTER_LIMITS.depth - 1} levels`,
        "Nest less deeply.",
      );
    }
    const filter = this.unit(depth);
    scanner.skipSpace();
    return filter;
  }

  private unit(depth: number): Filter {
    const { scanner } = this;
    if (scanner.take("(")) {
      const filter = this.either(depth + 1);
      if (scanner.take(")")) return filter;
      throw scanner.expected("and, or, or )", this.hint("Put text with spaces or signs in quotes."));
    }
    if (scanner.takeKeyword("not")) return { op: "not", filter: this.one(depth + 1) };
    if (scanner.takeKeyword("exists")) {
      scanner.skipSpace();
      return { op: "exists", field: formatField(readField(scanner)) };
    }
    return this.condition();
  }

  private condition(): Filter {
    const { scanner } = this;
    const field = readField(scanner, this.hint());
    scanner.skipSpace();
    const span = scanner.next();
    const op = this.operator();
    const name = formatField(field);
    scanner.skipSpace();
    if (op === "in") return { op, field: name, values: this.values(field) };
    // The operator took the value, so the types agree.
    return { op, field: name, value: this.value(op, field, span) } as Filter;
  }

  private operator(): Operator {
    const { scanner } = this;
    const span = scanner.next();
    const op = OPERATORS.find((known) => known === scanner.slice(span).toLowerCase());
    if (op === undefined || op === "exists") {
      throw scanner.expected(
        "an operator (=, !=, <, <=, >, >=, in, has, prefix, glob)",
        this.hint("Put names with spaces in quotes."),
      );
    }
    scanner.at = span.end;
    return op;
  }

  private values(field: Field): FilterValue[] {
    const { scanner } = this;
    const opening = scanner.next();
    if (!scanner.take("(")) throw scanner.expected("( and a list of values", "Write in (a, b).");
    const values: FilterValue[] = [];
    do {
      scanner.skipSpace();
      values.push(this.value("in", field, opening));
      scanner.skipSpace();
    } while (scanner.take(","));
    if (!scanner.take(")"))
      throw scanner.expected("a comma or )", this.hint("Put text with spaces or signs in quotes."));
    return values;
  }

  /** @param operator where the operator stands. */
  private value(op: Operator, field: Field, operator: Span): FilterValue {
    const { scanner } = this;
    const start = scanner.at;
    const value = this.readValue(takesText(op, field));
    const problem = operandProblem(op, field, value);
    if (problem === undefined) return value;
    const span = problem.part === "operator" ? operator : { start, end: scanner.at };
    throw scanner.error(span, `${short(scanner.slice(span))} ${problem.problem}`, problem.hint);
  }

  private readValue(asText: boolean): FilterValue {
    const { scanner } = this;
    if (scanner.atQuote) return toWellFormed(scanner.quoted());
    const start = scanner.at;
    const word = scanner.word();
    if (word === "") {
      throw scanner.expected("a value", this.hint("Put text with signs such as ( or = in quotes."));
    }
    const meant = valueOfWord(word, asText);
    if ("value" in meant) return meant.value;
    throw scanner.error(
      { start, end: scanner.at },
      `${short(word)} ${meant.problem}, expected a value`,
      "Put it in quotes if it is meant as text.",
    );
  }

  /** @param otherwise where the next piece is not one of another language; nothing helps at the end. */
  private hint(otherwise?: string): string | undefined {
    if (this.scanner.atEnd) return undefined;
    return FOREIGN.get(this.scanner.slice(this.scanner.next()).toLowerCase()) ?? otherwise;
  }
}

function short(text: string): string {
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}
