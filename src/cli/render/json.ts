/** Machine-readable output: one JSON object, keys in the order in which the command states them. */
import { isMaxsimError } from "../../common/errors.js";

/**
 * The value as JSON with a line break at its end. Maps become objects, sets and typed arrays become arrays, big
 * integers become numbers where they fit and text otherwise, errors become `{code, message, hint}`. Characters
 * that could steer a terminal are written as escapes, which read back as the same text.
 */
export function renderJson(value: unknown): string {
  const text = JSON.stringify(value, replacer, 2) ?? "null";
  const escaped = text.replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `${escaped}\n`;
}

// Line breaks within a text are escapes, so this matches lists only.
const NUMBER_LIST = /\[\n\s*-?[\d.e+-]+(?:,\n\s*-?[\d.e+-]+)*\n\s*\]/g;

/** The same JSON with every list of nothing but numbers in one line, for values that have many of them. */
export function inlineNumberLists(json: string): string {
  return json.replace(
    NUMBER_LIST,
    (list) =>
      `[${list
        .slice(1, -1)
        .trim()
        .replace(/,\n\s*/g, ", ")}]`,
  );
}

/**
 * `renderJson({ ...head, [key]: items })` piece by piece, for lists that are better not held as one text.
 * `head` has at least one property.
 */
export function* renderJsonList(head: object, key: string, items: Iterable<unknown>): Generator<string> {
  const empty = renderJson({ ...head, [key]: [] });
  let written = 0;
  for (const item of items) {
    yield written++ === 0 ? empty.slice(0, -"]\n}\n".length) : ",";
    yield `\n    ${renderJson(item).trimEnd().replaceAll("\n", "\n    ")}`;
  }
  yield written === 0 ? empty : "\n  ]\n}\n";
}

function replacer(_key: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value as Uint8Array);
  if (typeof value === "bigint") {
    return BigInt.asIntN(53, value) === value ? Number(value) : value.toString();
  }
  if (isMaxsimError(value)) return { code: value.code, message: value.message, hint: value.hint };
  if (value instanceof Error) return { code: "INTERNAL", message: value.message };
  return value;
}
