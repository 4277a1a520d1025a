/** Folders for one test file, removed after its tests. Call at the top level of the file. */
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** One folder. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "maxsim-test-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A function that makes a new empty folder each time. */
export function temporaryFolders(): () => Promise<string> {
  const root = tempFolder();
  let count = 0;
  return async () => {
    const folder = join(root, String(count++));
    await mkdir(folder);
    return folder;
  };
}
