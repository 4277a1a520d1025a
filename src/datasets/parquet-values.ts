/** Values of Parquet columns as JSON, and which columns have such values. */
import type { SchemaTree } from "hyparquet";
import type { JsonValue } from "../common/json.js";

const MAX_DEPTH = 64;

/**
 * Whether a column is read when it is neither text, id nor title. Bytes without a meaning (pictures, say) say nothing as metadata, and
 * some types the library cannot read.
 */
export function isMetadataColumn({ element, children }: SchemaTree): boolean {
  if (children.length > 0) return children.every(isReadable);
  if (!isReadable({ element, children } as SchemaTree)) return false;
  const { type, converted_type: converted, logical_type: logical } = element;
  const isBytes = type === "BYTE_ARRAY" || type === "FIXED_LEN_BYTE_ARRAY";
  return !isBytes || converted !== undefined || logical !== undefined;
}

function isReadable({ element, children }: SchemaTree): boolean {
  const { converted_type: converted, logical_type: logical } = element;
  const kind = logical?.type ?? "";
  if (converted === "BSON" || converted === "INTERVAL") return false;
  if (["BSON", "INTERVAL", "GEOMETRY", "GEOGRAPHY", "VARIANT"].includes(kind)) return false;
  return children.every(isReadable);
}

/** Null for what has no form in JSON: bytes inside of lists, numbers that are not finite, dates that are none. */
export function toJson(value: unknown, depth = 0): JsonValue {
  if (value === null || value === undefined || depth > MAX_DEPTH) return null;
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : null;
    case "bigint":
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    case "object":
      break;
    default:
      return null;
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return depth === 0 ? new TextDecoder().decode(value) : null;
  if (ArrayBuffer.isView(value)) return Array.from(value as Float32Array, (item) => toJson(item, depth + 1));
  if (Array.isArray(value)) return value.map((item) => toJson(item, depth + 1));
  const object: Record<string, JsonValue> = Object.create(null);
  for (const [name, item] of Object.entries(value)) {
    const json = toJson(item, depth + 1);
    if (json !== null) object[name] = json;
  }
  return object;
}

const decoder = new TextDecoder();

/** How columns with a meaning of their own are decoded; what is not JSON stays text. */
export const PARSERS = {
  stringFromBytes: (bytes: Uint8Array | undefined): string | undefined => bytes && decoder.decode(bytes),
  jsonFromBytes: (bytes: Uint8Array | undefined): unknown => {
    if (bytes === undefined) return undefined;
    const text = decoder.decode(bytes);
    try {
      return JSON.parse(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return text;
    }
  },
};
