/** Names of fields: which part of a document a name means, and the one way in which it is written. */

import { TEXT_FIELDS, type TextField } from "./types.js";
import { BARE, isReserved } from "./words.js";

export type Field =
  | { readonly kind: "text"; readonly name: TextField }
  /** Keys from the metadata object inwards, at least one. */
  | { readonly kind: "metadata"; readonly keys: readonly string[] };

/** Names that reach the prototype of an object in careless code; no filter needs them. */
const FORBIDDEN: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

const METADATA = "metadata";

/** What is wrong with a name, as the end of a sentence, and what to do. */
export interface FieldProblem {
  readonly problem: string;
  readonly hint: string;
}

export function isTextField(name: string): name is TextField {
  return (TEXT_FIELDS as readonly string[]).includes(name);
}

/** The field that keys as they are written mean. */
export function fieldOf(keys: readonly string[]): Field | FieldProblem {
  const first = keys[0] ?? "";
  const forbidden = keys.find((key) => FORBIDDEN.has(key));
  if (forbidden !== undefined) {
    return {
      problem: `is not allowed: no field may be called ${forbidden}`,
      hint: "Rename the key in the metadata.",
    };
  }
  if (keys.some((key) => key.includes("\0"))) {
    return { problem: "is not allowed: it holds a NUL character", hint: "Rename the key in the metadata." };
  }
  if (isTextField(first)) {
    if (keys.length === 1) return { kind: "text", name: first };
    return {
      problem: `is not a field: ${first} is text and has no keys`,
      hint: `Write ${METADATA}.${first} for the key ${first} of the metadata.`,
    };
  }
  if (first !== METADATA) return { kind: "metadata", keys };
  if (keys.length > 1) return { kind: "metadata", keys: keys.slice(1) };
  return {
    problem: "is not a field but all of the metadata",
    hint: `Name a key of it; a key called ${METADATA} is ${METADATA}.${METADATA}.`,
  };
}

export function isFieldProblem(field: Field | FieldProblem): field is FieldProblem {
  return "problem" in field;
}

/** The name as filters hold it: equal names for equal fields. */
export function formatField(field: Field): string {
  if (field.kind === "text") return field.name;
  const [first = ""] = field.keys;
  const keys = first === METADATA || isTextField(first) ? [METADATA, ...field.keys] : field.keys;
  const name = keys.map((key) => (isBareKey(key) ? key : JSON.stringify(key))).join(".");
  return isReserved(name) ? JSON.stringify(name) : name;
}

function isBareKey(key: string): boolean {
  return key !== "" && !key.includes(".") && [...key].every((char) => BARE.test(char));
}
