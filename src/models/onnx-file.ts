/**
 * Looks into an ONNX file without loading it: names and shapes of inputs and outputs, and the external data files
 * that it asks for. A bounded walk over the protobuf wire format (onnx.proto, ModelProto) that skips tensor data.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { ioError } from "../common/errors.js";
import { invalidModel } from "./model-folder.js";

export interface GraphValue {
  readonly name: string;
  /** One entry a dimension: its size, or undefined where the file leaves it open. */
  readonly shape: ReadonlyArray<number | undefined>;
}

export interface OnnxFile {
  /** Without initializers, which old files repeat among the inputs. */
  readonly inputs: readonly GraphValue[];
  readonly outputs: readonly GraphValue[];
  /** Locations of external tensor data as the file gives them, each once. */
  readonly externalData: readonly string[];
  /** Types of the nodes, such as "MatMul", each once. */
  readonly operators: readonly string[];
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;
/** Graphs nest through control flow (If, Loop); deeper than this is not a real model. */
const MAX_DEPTH = 24;
const WINDOW_BYTES = 4096;
const MAX_TEXT_BYTES = 64 * 1024;

/** @throws MaxsimError MODEL_INVALID when the bytes are not an ONNX model. */
export function inspectOnnxFile(path: string): OnnxFile {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    throw ioError("open", path, error);
  }
  try {
    return new OnnxWalk(new WireReader(path, fd)).model();
  } finally {
    closeSync(fd);
  }
}

interface Field {
  readonly number: number;
  readonly wire: number;
  /** Of a varint. */
  readonly value: number;
  /** Of a length-delimited field: its bytes are start .. end - 1. */
  readonly start: number;
  readonly end: number;
}

class OnnxWalk {
  private readonly external = new Set<string>();
  private readonly operators = new Set<string>();

  constructor(private readonly reader: WireReader) {}

  model(): OnnxFile {
    const { reader } = this;
    if (reader.size === 0) throw reader.invalid("the file is empty");
    let graph: Pick<OnnxFile, "inputs" | "outputs"> | undefined;
    for (const field of reader.fields(0, reader.size)) {
      if (field.wire !== LENGTH) continue;
      if (field.number === 7) graph = this.graph(field, 0);
      else if (field.number === 25) this.eachField(field, { 7: (f) => this.node(f, 1) });
    }
    if (graph === undefined) throw reader.invalid("it has no graph");
    return { ...graph, externalData: [...this.external], operators: [...this.operators] };
  }

  private graph(at: Field, depth: number): Pick<OnnxFile, "inputs" | "outputs"> {
    if (depth > MAX_DEPTH) throw this.reader.invalid(`graphs nest more than ${MAX_DEPTH} deep`);
    const inputs: GraphValue[] = [];
    const outputs: GraphValue[] = [];
    const initializers = new Set<string>();
    this.eachField(at, {
      1: (f) => this.node(f, depth + 1),
      5: (f) => initializers.add(this.tensor(f)),
      11: (f) => inputs.push(this.value(f)),
      12: (f) => outputs.push(this.value(f)),
      15: (f) => this.sparseTensor(f),
    });
    return { inputs: inputs.filter((v) => !initializers.has(v.name)), outputs };
  }

  private node(at: Field, depth: number): void {
    this.eachField(at, {
      4: (f) => this.operators.add(this.reader.text(f)),
      5: (f) => this.attribute(f, depth),
    });
  }

  private attribute(at: Field, depth: number): void {
    this.eachField(at, {
      5: (f) => this.tensor(f),
      6: (f) => this.graph(f, depth + 1),
      10: (f) => this.tensor(f),
      11: (f) => this.graph(f, depth + 1),
      22: (f) => this.sparseTensor(f),
      23: (f) => this.sparseTensor(f),
    });
  }

  private sparseTensor(at: Field): void {
    this.eachField(at, { 1: (f) => this.tensor(f), 2: (f) => this.tensor(f) });
  }

  /** Notes external data; returns the tensor's name. */
  private tensor(at: Field): string {
    let name = "";
    this.eachField(at, {
      8: (f) => {
        name = this.reader.text(f);
      },
      13: (f) => {
        let key = "";
        let value = "";
        this.eachField(f, {
          1: (entry) => {
            key = this.reader.text(entry);
          },
          2: (entry) => {
            value = this.reader.text(entry);
          },
        });
        if (key === "location") this.external.add(value);
      },
    });
    return name;
  }

  private value(at: Field): GraphValue {
    let name = "";
    const shape: Array<number | undefined> = [];
    const dimension = (f: Field): void => {
      let size: number | undefined;
      for (const field of this.reader.fields(f.start, f.end)) {
        if (field.number === 1 && field.wire === VARINT) size = field.value;
      }
      shape.push(size);
    };
    this.eachField(at, {
      1: (f) => {
        name = this.reader.text(f);
      },
      2: (type) =>
        this.eachField(type, {
          1: (tensor) => this.eachField(tensor, { 2: (s) => this.eachField(s, { 1: dimension }) }),
        }),
    });
    return { name, shape };
  }

  private eachField(at: Field, handlers: Readonly<Record<number, (field: Field) => unknown>>): void {
    for (const field of this.reader.fields(at.start, at.end)) {
      if (field.wire === LENGTH) handlers[field.number]?.(field);
    }
  }
}

/** Reads protobuf fields through a small window, so that gigabytes of weights are stepped over, not read. */
class WireReader {
  readonly size: number;
  private window = Buffer.alloc(0);
  private windowStart = 0;

  constructor(
    private readonly path: string,
    private readonly fd: number,
  ) {
    this.size = fstatSync(fd).size;
  }

  invalid(reason: string): Error {
    return invalidModel(
      this.path,
      `must be an ONNX model, but ${reason}`,
      "Download or export the model again.",
    );
  }

  *fields(start: number, end: number): Generator<Field> {
    let at = start;
    while (at < end) {
      const tag = this.varint(at, end);
      const number = Math.floor(tag.value / 8);
      const wire = tag.value % 8;
      if (number === 0) throw this.invalid(`byte ${at} starts no field`);
      let next = tag.next;
      let value = 0;
      if (wire === VARINT) ({ value, next } = this.varint(next, end));
      else if (wire === FIXED64) next += 8;
      else if (wire === FIXED32) next += 4;
      else if (wire === LENGTH) {
        const length = this.varint(next, end);
        value = length.next;
        next = length.next + length.value;
      } else throw this.invalid(`byte ${at} has the unknown wire type ${wire}`);
      if (next > end) throw this.invalid(`the field at byte ${at} runs past byte ${end}`);
      yield { number, wire, value, start: wire === LENGTH ? value : at, end: next };
      at = next;
    }
  }

  text(field: Field): string {
    const length = field.end - field.start;
    if (length > MAX_TEXT_BYTES) throw this.invalid(`the name at byte ${field.start} has ${length} bytes`);
    const bytes = Buffer.alloc(length);
    this.readInto(bytes, field.start);
    return bytes.toString("utf8");
  }

  /** Negative numbers (ten bytes) come out as large positive ones; no field that is used here has any. */
  private varint(start: number, end: number): { value: number; next: number } {
    let value = 0;
    for (let i = 0; i < 10 && start + i < end; i++) {
      const byte = this.byte(start + i);
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return { value, next: start + i + 1 };
    }
    throw this.invalid(`the number at byte ${start} does not end`);
  }

  private byte(at: number): number {
    const inside = at - this.windowStart;
    if (inside >= 0 && inside < this.window.length) return this.window[inside]!;
    this.window = Buffer.allocUnsafe(Math.min(WINDOW_BYTES, this.size - at));
    this.windowStart = at;
    this.readInto(this.window, at);
    return this.window[0]!;
  }

  private readInto(bytes: Buffer, position: number): void {
    let done = 0;
    while (done < bytes.length) {
      const n = readSync(this.fd, bytes, done, bytes.length - done, position + done);
      if (n === 0) throw this.invalid(`the file ends at byte ${position + done}`);
      done += n;
    }
  }
}
