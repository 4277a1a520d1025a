/** Folders for rigs that need no real disk: in memory where there is such a file system, which makes fsync free. */
import { accessSync, constants, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Containers often have 64 MiB there, which is less than an image of a file system takes. */
const MIN_BYTES = 1 << 30;

function base() {
  const memory = "/dev/shm";
  try {
    accessSync(memory, constants.W_OK);
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize < MIN_BYTES ? tmpdir() : memory;
  } catch (error) {
    if (!["ENOENT", "EACCES", "EROFS", "EPERM"].includes(error.code)) throw error;
    return tmpdir();
  }
}

/** A new folder, and what removes it. */
export function scratchFolder(name) {
  const folder = mkdtempSync(join(base(), `maxsim-${name}-`));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  // Also when the run is interrupted: what lies in memory would stay there.
  process.once("exit", remove);
  return {
    folder,
    remove() {
      process.off("exit", remove);
      remove();
    },
  };
}
