/** Folders for rigs that need no real disk: in memory where there is such a file system, which makes fsync free. */
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

function base() {
  const memory = "/dev/shm";
  try {
    accessSync(memory, constants.W_OK);
    return memory;
  } catch (error) {
    if (!["ENOENT", "EACCES", "EROFS", "EPERM"].includes(error.code)) throw error;
    return tmpdir();
  }
}

/** A new folder, and what removes it. */
export function scratchFolder(name) {
  const folder = mkdtempSync(join(base(), `maxsim-${name}-`));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
