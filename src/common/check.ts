/** Checks of arguments at the public boundary; each names the option, what was expected and what was found. */
import { MaxsimError } from "./errors.js";

/** Short text of a value for messages: type and, where it is short, the value. */
export function describe(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "string")
    return JSON.stringify(value.length > 40 ? `${value.slice(0, 37)}...` : value);
  if (typeof value === "number" || typeof value === "boolean" || value === undefined) return String(value);
  if (typeof value === "bigint") return `${value}n`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object") {
    const name = value.constructor?.name;
    return !name || name === "Object" ? "an object" : `a ${name}`;
  }
  return `a ${typeof value}`;
}

export function invalidArgument(name: string, expected: string, found: unknown, hint?: string): MaxsimError {
  return new MaxsimError(
    "INVALID_ARGUMENT",
    `${name} must be ${expected}, found ${describe(found)}`,
    hint === undefined ? {} : { hint },
  );
}

export function checkInteger(
  name: string,
  value: unknown,
  min: number,
  max = Number.MAX_SAFE_INTEGER,
): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min || value > max) {
    const range =
      max === Number.MAX_SAFE_INTEGER ? `an integer of at least ${min}` : `an integer from ${min} to ${max}`;
    throw invalidArgument(name, range, value);
  }
  return value;
}

/** A finite number of at least `min`. */
export function checkNumber(
  name: string,
  value: unknown,
  min: number,
  max = Number.POSITIVE_INFINITY,
): number {
  if (typeof value !== "number" || !Number.isFinite(value) || value < min || value > max) {
    const upTo = max === Number.POSITIVE_INFINITY ? "" : ` and at most ${max}`;
    throw invalidArgument(name, `a number of at least ${min}${upTo}`, value);
  }
  return value;
}

export function checkString(name: string, value: unknown): string {
  if (typeof value !== "string") throw invalidArgument(name, "a string", value);
  return value;
}

export function checkOneOf<T extends string | number>(
  name: string,
  value: unknown,
  allowed: readonly T[],
): T {
  if (!allowed.includes(value as T)) throw invalidArgument(name, `one of ${allowed.join(", ")}`, value);
  return value as T;
}
