/** Reading the small files of a model folder: each refusal names the file, what was expected and what was found. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type * as z from "zod/mini";
import { ioError, MaxsimError, systemCode } from "../common/errors.js";

/** Configuration files are small; a tokenizer with 500,000 tokens takes about 35 MB. */
const MAX_JSON_BYTES = 128 * 1024 * 1024;

/** A MODEL_INVALID error about one file. */
export function invalidModel(path: string, problem: string, hint?: string, cause?: unknown): MaxsimError {
  return new MaxsimError("MODEL_INVALID", `${path} ${problem}`, {
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
  });
}

export class ModelFolder {
  /** Absolute path. */
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** Whether `name` is a regular file of the folder (symbolic links followed). */
  async has(name: string): Promise<boolean> {
    try {
      return (await stat(this.file(name))).isFile();
    } catch (error) {
      const code = systemCode(error);
      if (code === "ENOENT" || code === "ENOTDIR") return false;
      throw ioError("look at", this.file(name), error);
    }
  }

  /** The parsed file, or undefined when there is none. */
  async readJson<T>(name: string, schema: z.ZodMiniType<T>): Promise<T | undefined> {
    const path = this.file(name);
    if (!(await this.has(name))) return undefined;
    let text: string;
    try {
      const { size } = await stat(path);
      if (size > MAX_JSON_BYTES) {
        throw invalidModel(path, `must be at most ${MAX_JSON_BYTES} bytes, found ${size}`);
      }
      text = await readFile(path, "utf8");
    } catch (error) {
      throw ioError("read", path, error);
    }
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw invalidModel(path, `must be JSON: ${reason}`, "Download the model again.", error);
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    const where = issue === undefined || issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`;
    throw invalidModel(path, `has an unexpected value${where}: ${issue?.message ?? "wrong shape"}`);
  }
}
