/**
 * A text file that grows a line at a time: each line is durable before the call returns, and the last ones can be taken back. What a
 * crash left of a line is mended when the file is opened.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { ioError, MaxsimError, systemCode } from "../common/errors.js";
import { syncFolderSync } from "./node-file-system.js";

const LF = 0x0a;

export interface LineLogOptions {
  /** First line of a new file, without its line break. */
  readonly head?: string;
  /** Whether a last line without a line break is complete, as an editor leaves it, and no remainder of a crash. */
  readonly isWhole: (line: string) => boolean;
}

export class LineLog {
  /** Lengths of the file before each line of this object. */
  private readonly ends: number[] = [];

  private constructor(
    readonly path: string,
    private readonly descriptor: number,
    private length: number,
  ) {}

  /** Opens the file or makes it; its folder exists. Errors: IO, DISK_FULL. */
  static open(path: string, options: LineLogOptions): LineLog {
    const { O_RDWR, O_CREAT, O_NONBLOCK = 0 } = constants;
    let descriptor: number | undefined;
    try {
      // O_NONBLOCK: a FIFO of that name would otherwise wait for a reader.
      descriptor = openSync(path, O_RDWR | O_CREAT | O_NONBLOCK, 0o666);
      if (!fstatSync(descriptor).isFile()) throw new MaxsimError("IO", `${path} is not a regular file`);
      const log = new LineLog(path, descriptor, mend(path, descriptor, options));
      if (log.length === 0) {
        if (options.head !== undefined) log.write(options.head);
        syncFolderSync(dirname(path));
      }
      return log;
    } catch (error) {
      if (descriptor !== undefined) closeSync(descriptor);
      throw ioError("open", path, error);
    }
  }

  /** Appends a line without line breaks of its own; it is durable then. Errors: IO, DISK_FULL. */
  append(line: string): void {
    this.ends.push(this.length);
    try {
      this.write(line);
    } catch (error) {
      this.ends.pop();
      throw ioError("write", this.path, error);
    }
  }

  /** Takes back the last line that this object appended; false when there is none. Errors: IO. */
  removeLast(): boolean {
    const end = this.ends.at(-1);
    if (end === undefined) return false;
    try {
      ftruncateSync(this.descriptor, end);
      fsyncSync(this.descriptor);
    } catch (error) {
      throw ioError("write", this.path, error);
    }
    this.ends.pop();
    this.length = end;
    return true;
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private write(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.descriptor, bytes, done, bytes.length - done, this.length + done);
    }
    fsyncSync(this.descriptor);
    this.length += bytes.length;
  }
}

/** Whether the last line of a file has no line break: to be mended by opening it. False for no file. Errors: IO. */
export function hasOpenEnd(path: string): boolean {
  try {
    const bytes = readFileSync(path);
    return bytes.length > 0 && bytes[bytes.length - 1] !== LF;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw ioError("read", path, error);
  }
}

/** Ends a last line that is whole, and cuts off any other. @returns the length then */
function mend(path: string, descriptor: number, { isWhole }: LineLogOptions): number {
  const bytes = readFileSync(path);
  if (bytes.length === 0 || bytes[bytes.length - 1] === LF) return bytes.length;
  const start = bytes.lastIndexOf(LF) + 1;
  const whole = isWhole(bytes.toString("utf8", start));
  if (whole) writeSync(descriptor, "\n", bytes.length);
  else ftruncateSync(descriptor, start);
  fsyncSync(descriptor);
  return whole ? bytes.length + 1 : start;
}
