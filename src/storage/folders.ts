/** Folders and sizes that lie outside the commit protocol. */
import { statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { ioError } from "../common/errors.js";

/** Makes a folder and its parents; one that exists is fine. */
export async function makeFolders(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw ioError("create", path, error);
  }
}

/** Bytes of a file. */
export function fileLength(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    throw ioError("read", path, error);
  }
}
