/** Reads the name of a field: keys with dots between them, each a word or in quotes. */
import { type Field, fieldOf, isFieldProblem } from "./fields.js";
import { Scanner } from "./scanner.js";
import { FILTER_LIMITS } from "./types.js";
import { isReserved } from "./words.js";

/**
 * The field that begins at the scanner's place. Errors: INVALID_FILTER.
 * @param hint of the error where no name begins; a word of the language has one of its own.
 */
export function readField(scanner: Scanner, hint?: string): Field {
  const start = scanner.at;
  const word = scanner.peekWord();
  if (isReserved(word))
    throw scanner.expected("the name of a field", `A field called ${word} is written "${word}".`);
  if (word === "" && !scanner.atQuote) throw scanner.expected("the name of a field", hint);
  const keys: string[] = [];
  do {
    const at = scanner.at;
    const key = scanner.atQuote ? scanner.quoted() : scanner.word(".");
    if (scanner.at === at) {
      throw scanner.error({ start, end: at }, "the name has an empty key", 'An empty key is written "".');
    }
    keys.push(key);
  } while (scanner.take("."));
  const span = { start, end: scanner.at };
  const bytes = Buffer.byteLength(scanner.text.slice(start, scanner.at));
  if (bytes > FILTER_LIMITS.stringBytes) {
    throw scanner.error(span, `the name has ${bytes} bytes, more than ${FILTER_LIMITS.stringBytes}`);
  }
  const field = fieldOf(keys);
  if (!isFieldProblem(field)) return field;
  throw scanner.error(span, `${scanner.slice(span)} ${field.problem}`, field.hint);
}

/** The field behind a name on its own. Errors: INVALID_FILTER. @param where what messages call the name. */
export function parseField(name: string, where = "the field"): Field {
  const scanner = new Scanner(name, where);
  const field = readField(scanner);
  if (scanner.atEnd) return field;
  throw scanner.expected("a dot or the end", "Put keys with odd characters in quotes.");
}
