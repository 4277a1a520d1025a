/** One field of many documents in memory: each different value once, and for each document which of them it holds. */
import type { JsonValue } from "../../common/json.js";
import { fromJsonText } from "../json-text.js";
import { parseDate } from "./dates.js";

export type ValueKind = "text" | "number" | "boolean" | "null" | "array" | "object";

/** Code of documents that lack the field. */
export const MISSING = 0;

/** Bytes of a value's objects beside its characters, as an estimate. */
const VALUE_BYTES = 64;

export class FieldColumn {
  private knownTimes: Float64Array | undefined;
  private knownKinds: ReadonlySet<ValueKind> | undefined;

  constructor(
    /** By document, in the order of the documents: place in `values`. */
    readonly codes: Uint16Array | Uint32Array,
    /** Different values; undefined at MISSING. */
    readonly values: readonly (JsonValue | undefined)[],
    /** Bytes of memory, estimated. */
    readonly bytes: number,
  ) {}

  /** By code: milliseconds since 1970 of text that is an ISO date, NaN for other values. */
  get times(): Float64Array {
    this.knownTimes ??= Float64Array.from(this.values, (value) =>
      typeof value === "string" ? (parseDate(value) ?? Number.NaN) : Number.NaN,
    );
    return this.knownTimes;
  }

  /** Kinds of the values that are there; empty when every document lacks the field. */
  get kinds(): ReadonlySet<ValueKind> {
    this.knownKinds ??= new Set(this.values.slice(MISSING + 1).map(kindOf));
    return this.knownKinds;
  }
}

export function kindOf(value: JsonValue | undefined): ValueKind {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  switch (typeof value) {
    case "string":
      return "text";
    case "number":
      return "number";
    case "boolean":
      return "boolean";
    default:
      return "object";
  }
}

export class FieldColumnBuilder {
  private readonly codes: Uint32Array;
  private readonly codeOf = new Map<string, number>([["", MISSING]]);
  private bytes: number;

  /** @param documents how many there are. @param maxBytes beyond which the column is given up. */
  constructor(
    documents: number,
    private readonly maxBytes: number,
  ) {
    this.codes = new Uint32Array(documents);
    this.bytes = this.codes.byteLength;
  }

  /** False once the column is larger than it may be. */
  get fits(): boolean {
    return this.bytes <= this.maxBytes;
  }

  /** @param documents places of documents, -1 for those to leave out. @param json their values as JSON, "" for missing ones. */
  set(documents: Int32Array, json: readonly string[]): void {
    for (let row = 0; row < documents.length; row++) {
      const document = documents[row]!;
      if (document >= 0) this.codes[document] = this.code(json[row]!);
    }
  }

  private code(json: string): number {
    const known = this.codeOf.get(json);
    if (known !== undefined) return known;
    const code = this.codeOf.size;
    this.codeOf.set(json, code);
    this.bytes += VALUE_BYTES + 2 * json.length;
    return code;
  }

  /** @param where what an error calls the field. Errors: CORRUPT for what is not JSON. */
  finish(where: string): FieldColumn {
    const values = Array.from(this.codeOf.keys(), (json) =>
      json === "" ? undefined : fromJsonText(json, where),
    );
    const codes = values.length <= 0x10000 ? Uint16Array.from(this.codes) : this.codes;
    // Times come to 8 bytes a value when a date is asked for.
    return new FieldColumn(codes, values, this.bytes + 8 * values.length);
  }
}
