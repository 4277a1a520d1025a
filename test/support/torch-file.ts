/**
 * Tensors of files that `torch.save` wrote: a zip of stored entries, one of them a pickle that names the others as
 * storages. The pickle reader knows the opcodes and globals of tensors and tuples and refuses everything else.
 */
import { readFileSync } from "node:fs";
import { fromFloat16 } from "../../src/common/float16.js";
import { zipEntries } from "./stored-zip.js";

export interface Tensor {
  readonly shape: readonly number[];
  /** Half and float as float32, long as float64; C order. */
  readonly data: Float32Array | Float64Array | Int32Array | Uint8Array;
}

/** The object of the file, which must be a tensor or a tuple of tensors. */
export function readTorchFile(path: string): Tensor[] {
  const entries = zipEntries(readFileSync(path), path);
  const pickle = [...entries].find(([name]) => name.endsWith("/data.pkl"));
  if (pickle === undefined) throw new Error(`${path} has no data.pkl`);
  const prefix = pickle[0].slice(0, -"data.pkl".length);
  const byteOrder = entries.get(`${prefix}byteorder`)?.toString("latin1") ?? "little";
  if (byteOrder !== "little") throw new Error(`${path} is in ${byteOrder}-endian order`);
  const value = new Unpickler(pickle[1], (key) => {
    const bytes = entries.get(`${prefix}data/${key}`);
    if (bytes === undefined) throw new Error(`${path} has no storage ${key}`);
    return bytes;
  }).load();
  const values = isTuple(value) ? value.items : [value];
  return values.map((item) => {
    if (!isTensor(item)) throw new Error(`${path} holds something that is no tensor`);
    return item.tensor;
  });
}

interface TupleValue {
  readonly kind: "tuple";
  readonly items: readonly Value[];
}
interface GlobalValue {
  readonly kind: "global";
  readonly name: string;
}
interface StorageValue {
  readonly kind: "storage";
  readonly type: string;
  readonly bytes: Buffer;
}
interface TensorValue {
  readonly kind: "tensor";
  readonly tensor: Tensor;
}
type Value = number | string | boolean | null | TupleValue | GlobalValue | StorageValue | TensorValue;

function isTuple(value: Value | undefined): value is TupleValue {
  return typeof value === "object" && value !== null && value.kind === "tuple";
}

function isTensor(value: Value): value is TensorValue {
  return typeof value === "object" && value !== null && value.kind === "tensor";
}

type ReadStorage = (bytes: Buffer, from: number, count: number) => Tensor["data"];

const STORAGES: Readonly<Record<string, ReadStorage>> = {
  FloatStorage: (bytes, from, count) =>
    fill(new Float32Array(count), (i) => bytes.readFloatLE(4 * (from + i))),
  HalfStorage: (bytes, from, count) =>
    fill(new Float32Array(count), (i) => fromFloat16(bytes.readUInt16LE(2 * (from + i)))),
  IntStorage: (bytes, from, count) => fill(new Int32Array(count), (i) => bytes.readInt32LE(4 * (from + i))),
  LongStorage: (bytes, from, count) =>
    fill(new Float64Array(count), (i) => Number(bytes.readBigInt64LE(8 * (from + i)))),
  ByteStorage: (bytes, from, count) => Uint8Array.from(bytes.subarray(from, from + count)),
};

function fill<T extends Tensor["data"]>(target: T, at: (i: number) => number): T {
  for (let i = 0; i < target.length; i++) target[i] = at(i);
  return target;
}

/** Pickle protocol 2, as far as tensors need it. */
class Unpickler {
  private readonly stack: Value[] = [];
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, Value>();
  private at = 0;

  constructor(
    private readonly code: Buffer,
    private readonly storage: (key: string) => Buffer,
  ) {}

  load(): Value {
    for (;;) {
      const opcode = this.code.readUInt8(this.at++);
      if (opcode === 0x2e) return this.pop();
      this.step(opcode);
    }
  }

  private step(opcode: number): void {
    const { stack } = this;
    switch (String.fromCharCode(opcode)) {
      case "\x80":
        this.at++;
        return;
      case "c":
        stack.push({ kind: "global", name: `${this.line()}.${this.line()}` });
        return;
      case "q":
        this.memo.set(this.code.readUInt8(this.at++), stack.at(-1)!);
        return;
      case "h":
        stack.push(this.memo.get(this.code.readUInt8(this.at++))!);
        return;
      case "(":
        this.marks.push(stack.length);
        return;
      case "t":
        stack.push({ kind: "tuple", items: stack.splice(this.marks.pop()!) });
        return;
      case ")":
        stack.push({ kind: "tuple", items: [] });
        return;
      case "\x85":
      case "\x86":
      case "\x87":
        stack.push({ kind: "tuple", items: stack.splice(stack.length - (opcode - 0x84)) });
        return;
      case "X": {
        const length = this.code.readUInt32LE(this.at);
        stack.push(this.code.toString("utf8", this.at + 4, this.at + 4 + length));
        this.at += 4 + length;
        return;
      }
      case "J":
        stack.push(this.code.readInt32LE(this.at));
        this.at += 4;
        return;
      case "K":
        stack.push(this.code.readUInt8(this.at++));
        return;
      case "M":
        stack.push(this.code.readUInt16LE(this.at));
        this.at += 2;
        return;
      case "\x88":
      case "\x89":
        stack.push(opcode === 0x88);
        return;
      case "N":
        stack.push(null);
        return;
      case "Q":
        stack.push(this.persistent(this.pop()));
        return;
      case "R": {
        const args = this.pop();
        stack.push(this.call(this.pop(), args));
        return;
      }
      default:
        throw new Error(
          `pickle opcode 0x${opcode.toString(16)} at byte ${this.at - 1} is not one of tensors`,
        );
    }
  }

  /** ("storage", type, key, device, elements) */
  private persistent(id: Value): StorageValue {
    const [kind, type, key] = isTuple(id) ? id.items : [];
    if (kind !== "storage" || typeof key !== "string" || !isGlobal(type)) throw new Error("not a storage");
    return { kind: "storage", type: type.name.replace(/^torch\./, ""), bytes: this.storage(key) };
  }

  private call(callee: Value, args: Value): Value {
    const name = isGlobal(callee) ? callee.name : "";
    if (name === "collections.OrderedDict") return null;
    if (name !== "torch._utils._rebuild_tensor_v2" || !isTuple(args)) {
      throw new Error(`the pickle calls ${JSON.stringify(name)}`);
    }
    const [storage, offset, shape, stride] = args.items;
    if (typeof storage !== "object" || storage === null || storage.kind !== "storage") {
      throw new Error("a tensor without a storage");
    }
    const sizes = numbersOf(shape);
    let expected = 1;
    for (const [axis, step] of [...numbersOf(stride).entries()].reverse()) {
      if (step !== expected) throw new Error("a tensor that is not contiguous");
      expected *= sizes[axis]!;
    }
    const read = STORAGES[storage.type];
    if (read === undefined) throw new Error(`a tensor of ${storage.type}`);
    return { kind: "tensor", tensor: { shape: sizes, data: read(storage.bytes, Number(offset), expected) } };
  }

  private pop(): Value {
    const value = this.stack.pop();
    if (value === undefined) throw new Error("the pickle takes more than it has");
    return value;
  }

  private line(): string {
    const end = this.code.indexOf(10, this.at);
    if (end < 0) throw new Error("the pickle ends inside a name");
    const text = this.code.toString("latin1", this.at, end);
    this.at = end + 1;
    return text;
  }
}

function isGlobal(value: Value | undefined): value is GlobalValue {
  return typeof value === "object" && value !== null && value.kind === "global";
}

function numbersOf(value: Value | undefined): number[] {
  if (!isTuple(value)) throw new Error("a tuple of numbers was expected");
  return value.items.map(Number);
}
