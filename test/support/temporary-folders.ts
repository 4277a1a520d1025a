/** Folders for one test file, removed afterwards. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** Call at the top of a test file; the result makes a new empty folder each time. */
export function temporaryFolders(): () => Promise<string> {
  let root: string | undefined;
  let count = 0;
  afterAll(async () => {
    if (root !== undefined) await rm(root, { recursive: true, force: true });
  });
  return async () => {
    root ??= await mkdtemp(join(tmpdir(), "maxsim-test-"));
    const folder = join(root, String(count++));
    await mkdir(folder);
    return folder;
  };
}
