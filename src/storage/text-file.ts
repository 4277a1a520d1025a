/** Text files that are written for people, outside of any index. */
import { writeFile } from "node:fs/promises";
import { ioError } from "../common/errors.js";

/** Writes a text as UTF-8; an existing file is replaced. Errors: IO, DISK_FULL. */
export async function writeTextFile(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    throw ioError("write", path, error);
  }
}
