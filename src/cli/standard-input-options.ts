/** What of standard input the command line itself must know. */
import type { StreamFormat } from "../datasets/stream-format.js";

/** The path that stands for standard input. */
export const STANDARD_INPUT = "-";
export const DEFAULT_STREAM_FORMAT: StreamFormat = "jsonl";
export const DEFAULT_STREAM_ID = "stdin";

export interface StandardInputOptions {
  readonly format?: StreamFormat;
  /** Of a text; before the line in ids of records without an id. */
  readonly id?: string;
}
