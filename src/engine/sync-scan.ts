/** The files of the scopes of a sync as they are now; only what may have changed is read. */
import { dirname } from "node:path";
import { throwIfAborted } from "../common/abort.js";
import { MaxsimError } from "../common/errors.js";
import type { ProgressListener } from "../common/progress.js";
import { type CorpusFile, rootFiles } from "../datasets/corpus-file.js";
import { pathExists, stateOrReason } from "../datasets/file-state.js";
import type { SkippedFile } from "../text/walk.js";
import type { KnownFile, PresentFile } from "./sync-plan.js";
import { belongsTo, type SyncRoot, type SyncScope, type SyncScopes } from "./sync-roots.js";

export interface ScannedFile extends PresentFile {
  readonly file: CorpusFile;
  readonly root: SyncRoot;
  /** Its place among the files that were found. */
  readonly order: number;
}

export interface SkippedPath {
  readonly path: string;
  readonly reason: string;
  /** It should have given documents: damaged, encrypted, or not readable. */
  readonly failed?: true;
}

function skippedPath({ path, reason, cause }: SkippedFile): SkippedPath {
  return { path, reason, ...(cause === "unreadable" ? { failed: true } : {}) };
}

export interface Scan<Known extends KnownFile> {
  /** What the index remembers of the scopes. */
  readonly known: readonly Known[];
  readonly found: readonly ScannedFile[];
  readonly skipped: readonly SkippedPath[];
  /** Whether a path that was not found lies where nothing could be read: itself or a folder above it. */
  readonly unread: (path: string) => boolean;
  /** Remembered roots that do not exist any more; only with `allowEmpty`. */
  readonly vanished: readonly SyncRoot[];
}

export interface ScanOptions {
  /** Absolute paths of what is no part of any corpus: the folder of the index. */
  readonly excludePaths: readonly string[];
  /** Go on when a path with remembered files is empty or gone, which removes all of its documents. */
  readonly allowEmpty: boolean;
  /** Read every file, also those of the remembered size and time. */
  readonly checksum: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** Progress is reported once in as many files. */
const REPORT_EVERY = 500;

/**
 * Errors: PATH_NOT_FOUND for a named or remembered path that is gone, EMPTY_CORPUS for one that lost all of its files,
 * ABORTED, IO.
 */
export async function scanScopes<Known extends KnownFile>(
  { scopes, roots }: SyncScopes,
  remembered: readonly Known[],
  options: ScanOptions,
): Promise<Scan<Known>> {
  const known: Known[] = [];
  const found: ScannedFile[] = [];
  const skipped: SkippedPath[] = [];
  const vanished: SyncRoot[] = [];
  const unread = new Set<string>();
  for (const scope of scopes) {
    const mine = remembered.filter(({ path }) => belongsTo(path, scope, roots));
    known.push(...mine);
    if (!(await pathExists(scope.path))) {
      const whole = scope.path === scope.root.path;
      const remembers = whole ? scope.root.rootNo !== null : mine.length > 0;
      if (!options.allowEmpty || !remembers) throw missingPath(scope.path, mine.length);
      if (whole) vanished.push(scope.root);
      continue;
    }
    const before = new Map(mine.map((file) => [file.path, file]));
    const { files, skips, blind } = await scanScope(scope, roots, before, options, found.length);
    const kept = mine.filter(({ path }) => isUnread(path, blind)).length;
    if (files.length + kept === 0 && mine.length > 0 && !options.allowEmpty) {
      throw emptiedPath(scope.path, mine.length);
    }
    found.push(...files);
    skipped.push(...skips);
    for (const path of blind) unread.add(path);
  }
  return { known, found, skipped, vanished, unread: (path) => isUnread(path, unread) };
}

interface ScopeScan {
  readonly files: ScannedFile[];
  readonly skips: SkippedPath[];
  /** Files and folders that exist and could not be read. */
  readonly blind: Set<string>;
}

async function scanScope(
  scope: SyncScope,
  roots: ReadonlyMap<string, SyncRoot>,
  before: ReadonlyMap<string, KnownFile>,
  options: ScanOptions,
  foundBefore: number,
): Promise<ScopeScan> {
  const { root } = scope;
  const { signal, excludePaths, onProgress } = options;
  const scan: ScopeScan = { files: [], skips: [], blind: new Set() };
  const reading = { ...root.options, excludePaths, ...(signal === undefined ? {} : { signal }) };
  for await (const file of rootFiles(root, reading)) {
    throwIfAborted(signal, "the sync");
    if (file.kind === "skipped") {
      if (file.cause !== "special") scan.blind.add(file.path);
      if (belongsTo(file.path, scope, roots)) scan.skips.push(skippedPath(file));
      continue;
    }
    if (!belongsTo(file.path, scope, roots)) continue;
    const known = options.checksum ? undefined : before.get(file.path);
    const state =
      known !== undefined && known.size === file.size && known.modified === file.modified
        ? { size: known.size, modified: known.modified, sha256: known.sha256 }
        : await stateOrReason(file.path, signal);
    if (typeof state === "string") {
      scan.blind.add(file.path);
      scan.skips.push({ path: file.path, reason: state, failed: true });
      continue;
    }
    const reread = root.reread && before.has(file.path);
    const order = foundBefore + scan.files.length;
    scan.files.push({ ...state, path: file.path, rootNo: root.rootNo, reread, file, root, order });
    const done = order + 1;
    if (done % REPORT_EVERY === 0) onProgress?.({ stage: "scan", done, total: undefined, unit: "files" });
  }
  return scan;
}

function isUnread(path: string, unread: ReadonlySet<string>): boolean {
  if (unread.size === 0) return false;
  for (let at = path; ; ) {
    if (unread.has(at)) return true;
    const above = dirname(at);
    if (above === at) return false;
    at = above;
  }
}

function missingPath(path: string, files: number): MaxsimError {
  return new MaxsimError(
    "PATH_NOT_FOUND",
    files === 0
      ? `no such file or folder: ${path}`
      : `${path} is gone, from which the index has ${files === 1 ? "1 file" : `${files} files`}`,
    {
      hint:
        files === 0
          ? "Check the spelling of the path."
          : "Bring it back (is its disk mounted?), or remove its documents with --allow-empty (allowEmpty).",
    },
  );
}

function emptiedPath(path: string, files: number): MaxsimError {
  return new MaxsimError(
    "EMPTY_CORPUS",
    `${path} has no file left to read, and the index has ${files === 1 ? "1 file" : `${files} files`} from it`,
    {
      hint: "Is its disk mounted? To remove all of its documents, use --allow-empty (allowEmpty).",
    },
  );
}
