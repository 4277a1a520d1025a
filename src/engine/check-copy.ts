/** Everything that can be checked of an index that nobody uses yet: catalog, files, and that they fit each other. */
import { join } from "node:path";
import { throwIfAborted } from "../common/abort.js";
import { MaxsimError } from "../common/errors.js";
import { Catalog } from "../documents/catalog.js";
import type { Snapshot } from "../documents/records.js";
import { type NamedFile, snapshotFiles } from "../documents/snapshot-files.js";
import { selectKernels } from "../kernels/select.js";
import { FILE_FOLDERS } from "../storage/file-names.js";
import { nodeFileSystem } from "../storage/node-file-system.js";
import { hashFile } from "../storage/publish.js";
import { requireSame } from "../storage/stream-file.js";
import { verifyCatalog } from "../workers/verify-catalog.js";
import type { CopyProgress } from "./copy-progress.js";
import { filesOf, openGeneration } from "./load-snapshot.js";

/**
 * Reads every byte of the index in `folder`, opens its newest generation as a search would, and returns it; `origin` is
 * where it came from, for messages. Errors: CORRUPT naming the file, FORMAT_TOO_NEW, ABORTED, IO.
 */
export async function checkCopy(folder: string, origin: string, progress: CopyProgress): Promise<Snapshot> {
  await requireSound(folder, origin, progress);
  const catalog = Catalog.open(folder, { readOnly: false });
  try {
    const snapshot = catalog.snapshot();
    const files = snapshotFiles(snapshot);
    await requireNamed(folder, origin, files);
    await checkFiles(folder, files, progress);
    const opened = await openGeneration(folder, catalog.generation(), null, selectKernels().mapper);
    for (const file of filesOf(opened)) file.close();
    return snapshot;
  } finally {
    catalog.close();
  }
}

/** CORRUPT with what is wrong in the catalog of `folder`, which is a copy of the one of `origin`. Errors: ABORTED, IO. */
export async function requireSound(
  folder: string,
  origin: string,
  { signal, what }: CopyProgress,
): Promise<void> {
  // The last writer that closes a catalog takes away what readers leave beside it.
  const writer = Catalog.open(folder, { readOnly: false });
  let problems: string[];
  try {
    problems = await verifyCatalog(folder, { signal, what });
  } finally {
    writer.close();
  }
  if (problems.length === 0) return;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  throw new MaxsimError("CORRUPT", `the catalog of ${origin} is damaged: ${problems[0]}${more}`, {
    hint: "Use another backup, or build the index again.",
  });
}

async function checkFiles(
  folder: string,
  files: readonly NamedFile[],
  progress: CopyProgress,
): Promise<void> {
  progress.start(
    files.reduce((sum, { length }) => sum + length, 0),
    "check",
  );
  for (const { name, length, sha256 } of files) {
    const path = join(folder, name);
    const found = await hashFile(path, (block) => {
      throwIfAborted(progress.signal, progress.what);
      progress.add(block.length);
    });
    requireSame(path, "bytes", length, found.length);
    requireSame(path, "as its SHA-256", sha256, found.sha256);
  }
}

/** CORRUPT when a file is there that the catalog does not name, or one is missing. */
async function requireNamed(folder: string, origin: string, files: readonly NamedFile[]): Promise<void> {
  const found = new Set<string>();
  for (const subfolder of Object.values(FILE_FOLDERS)) {
    const names = await nodeFileSystem.list(join(folder, subfolder));
    for (const name of names) found.add(`${subfolder}/${name}`);
  }
  const named = new Set(files.map(({ name }) => name));
  const more = [...found].find((name) => !named.has(name));
  const missing = [...named].find((name) => !found.has(name));
  if (more === undefined && missing === undefined) return;
  const problem =
    missing === undefined ? `holds ${more}, which its catalog does not name` : `lacks its file ${missing}`;
  throw new MaxsimError("CORRUPT", `${origin} ${problem}`, { hint: "Use another backup." });
}
