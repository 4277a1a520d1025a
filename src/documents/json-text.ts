/** JSON as it is stored: checked, well-formed, and for settings canonical, so that equal values are equal bytes. */
import { describe } from "../common/check.js";
import { MaxsimError } from "../common/errors.js";
import type { JsonValue } from "../common/json.js";

/** Deeper nesting is refused, so that no value can exhaust the stack. */
const MAX_DEPTH = 100;

/** Lone surrogates cannot be stored as UTF-8. */
const LONE_SURROGATE = /\p{Surrogate}/gu;

/** The text with each lone surrogate replaced by U+FFFD, as String.prototype.toWellFormed does it. */
export function toWellFormed(text: string): string {
  return text.replace(LONE_SURROGATE, "\ufffd");
}

export function isWellFormed(text: string): boolean {
  return text.search(LONE_SURROGATE) < 0;
}

/** Says where in a value something stands that JSON cannot hold. */
export class NotJsonError extends Error {
  override readonly name = "NotJsonError";
}

/**
 * JSON text of `value`. Properties that are `undefined` count as absent; anything else that JSON cannot hold
 * (function, bigint, NaN, Date and other instances, a cycle) throws NotJsonError with the path to it.
 * @param options.sortKeys orders the keys of objects by UTF-16 code units, which makes the text canonical.
 */
export function toJsonText(value: unknown, options: { readonly sortKeys: boolean }): string {
  const parents = new Set<object>();

  const write = (item: unknown, path: string): string => {
    if (item === null || typeof item === "boolean") return String(item);
    if (typeof item === "string") return JSON.stringify(toWellFormed(item));
    if (typeof item === "number") {
      if (!Number.isFinite(item)) throw new NotJsonError(`${path} is ${item}, which JSON cannot hold`);
      return JSON.stringify(item);
    }
    if (typeof item !== "object")
      throw new NotJsonError(`${path} is a ${typeof item}, which JSON cannot hold`);
    if (parents.has(item)) throw new NotJsonError(`${path} contains itself`);
    if (parents.size === MAX_DEPTH)
      throw new NotJsonError(`${path} is nested deeper than ${MAX_DEPTH} levels`);
    parents.add(item);
    const text = Array.isArray(item) ? writeArray(item, path) : writeObject(item, path);
    parents.delete(item);
    return text;
  };

  const writeArray = (items: readonly unknown[], path: string): string => {
    const parts: string[] = [];
    for (let i = 0; i < items.length; i++) parts.push(write(items[i], `${path}[${i}]`));
    return `[${parts.join(",")}]`;
  };

  const writeObject = (item: object, path: string): string => {
    const prototype: unknown = Object.getPrototypeOf(item);
    // Objects of another realm have another Object.prototype, whose own prototype is null as well.
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      throw new NotJsonError(
        `${path} is a ${item.constructor?.name ?? "class instance"}, not a plain object`,
      );
    }
    const entries = Object.entries(item).filter(([, child]) => child !== undefined);
    if (options.sortKeys) entries.sort(([a], [b]) => (a < b ? -1 : 1));
    const parts = entries.map(
      ([key, child]) => `${JSON.stringify(toWellFormed(key))}:${write(child, `${path}.${key}`)}`,
    );
    return `{${parts.join(",")}}`;
  };

  return write(value, "the value");
}

/** Like `fromJsonText`, of a row that holds an object. Errors: CORRUPT. */
export function objectFromJsonText(text: string, where: string): { readonly [key: string]: JsonValue } {
  const value = fromJsonText(text, where);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new MaxsimError("CORRUPT", `${where} must be an object, found ${describe(value)}`);
  }
  return value as { readonly [key: string]: JsonValue };
}

/** The value behind a stored text of the row `where`; `__proto__` stays an ordinary key. Errors: CORRUPT. */
export function fromJsonText(text: string, where: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new MaxsimError("CORRUPT", `${where} holds text that is not JSON`, { cause: error });
  }
}
