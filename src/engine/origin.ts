/**
 * Where the documents of an add come from, so that a later sync knows their files. An add replaces what has the same id
 * and removes nothing else, so what the index remembers only grows here.
 */
import { isMaxsimError } from "../common/errors.js";
import { readOrSkip, rootFiles, skippedItem } from "../datasets/corpus-file.js";
import { type FileState, stateOrReason } from "../datasets/file-state.js";
import type { CorpusItem } from "../datasets/types.js";
import { Catalog, type CatalogChange } from "../documents/catalog.js";
import type { RootInput, RootRecord, SourceInput, SourceRecord } from "../documents/records.js";
import { belongsTo, type ReadingOptions, type RememberedRoot, syncScopes } from "./sync-roots.js";
import { rememberedRoots, rootInput } from "./sync-sources.js";

/** A file whose documents are added, as it is now. */
export interface ReadFile extends FileState {
  /** Absolute. */
  readonly path: string;
  /** Path of its root. */
  readonly root: string;
}

export interface Origin {
  readonly roots: readonly RootInput[];
  /** Grows while the documents are read; it is complete when they are over. */
  readonly files: readonly ReadFile[];
}

/** What an index remembers, and the number for the next root. */
export interface Remembered {
  readonly roots: readonly RootRecord[];
  readonly sources: readonly SourceRecord[];
  readonly nextRoot: number;
}

/** Roots of the index in `folder`; none when there is no index. Errors: FORMAT_TOO_NEW, CORRUPT, IO. */
export function rootsOfIndex(folder: string): RememberedRoot[] {
  let catalog: Catalog;
  try {
    catalog = Catalog.open(folder, { readOnly: true });
  } catch (error) {
    if (isMaxsimError(error) && error.code === "INDEX_NOT_FOUND") return [];
    throw error;
  }
  try {
    return rememberedRoots(catalog.path, catalog.roots(catalog.snapshot()));
  } finally {
    catalog.close();
  }
}

/** A corpus that is read for an add, and what the index is to remember of it. */
export interface OriginalCorpus {
  readonly items: AsyncGenerator<CorpusItem>;
  readonly origin: Origin;
}

/**
 * The files of the named paths, with the ids that a sync gives them: those below a remembered root belong to it.
 * @param excludePaths absolute paths of what is no part of any corpus: the folder of the index.
 * Errors: those of syncScopes and readCorpus.
 */
export function readOrigin(
  paths: readonly string[],
  remembered: readonly RememberedRoot[],
  options: ReadingOptions,
  call: { readonly excludePaths: readonly string[]; readonly signal?: AbortSignal },
): OriginalCorpus {
  const { scopes, roots } = syncScopes(paths, remembered, options);
  const files: ReadFile[] = [];
  const inputs = new Map(scopes.map(({ root }) => [root.path, rootInput(root)]));
  async function* items(): AsyncGenerator<CorpusItem> {
    for (const scope of scopes) {
      const reading = { ...scope.root.options, ...call };
      for await (const file of rootFiles(scope.root, reading)) {
        if (!belongsTo(file.path, scope, roots)) continue;
        if (file.kind === "skipped") {
          yield skippedItem(file);
          continue;
        }
        const state = await stateOrReason(file.path, call.signal);
        if (typeof state === "string") {
          yield { kind: "skipped", path: file.path, reason: state, failed: true };
          continue;
        }
        let failed = false;
        for await (const item of readOrSkip(file, reading)) {
          failed ||= item.kind === "skipped" && item.failed === true;
          yield item;
        }
        // A file that is not remembered is read again by the next sync.
        if (!failed) files.push({ ...state, path: file.path, root: scope.root.path });
      }
    }
  }
  return { items: items(), origin: { roots: [...inputs.values()], files } };
}

/** Rows to add and drop for the roots and files of an add. */
export function originChange(
  origin: Origin,
  remembered: Remembered,
): Pick<CatalogChange, "roots" | "sources"> {
  const known = new Map(remembered.roots.map((root) => [root.path, root]));
  const fresh = origin.roots
    .filter((root) => !sameRoot(known.get(root.path), root))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, prefix, options }, i) => ({ rootNo: remembered.nextRoot + i, path, prefix, options }));
  const numbers = new Map([...known.values(), ...fresh].map(({ path, rootNo }) => [path, rootNo]));
  const replaced = new Map(
    fresh.flatMap(({ path, rootNo }) => {
      const before = known.get(path);
      return before === undefined ? [] : [[before.rootNo, rootNo] as const];
    }),
  );
  const files = new Map(origin.files.map((file) => [file.path, file]));
  const drop: number[] = [];
  const add: SourceInput[] = [...files.values()].map(({ root, path, size, modified, sha256 }) => {
    return { rootNo: numbers.get(root)!, path, size, modified, sha256 };
  });
  for (const { sourceNo, rootNo, ...file } of remembered.sources) {
    const now = replaced.get(rootNo);
    if (!files.has(file.path) && now === undefined) continue;
    drop.push(sourceNo);
    if (!files.has(file.path)) add.push({ rootNo: now!, ...file });
  }
  add.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { roots: { add: fresh, drop: [...replaced.keys()] }, sources: { add, drop } };
}

function sameRoot(known: RootRecord | undefined, { prefix, options }: RootInput): boolean {
  if (known === undefined || known.prefix !== prefix) return false;
  return JSON.stringify(sorted(known.options)) === JSON.stringify(sorted(options));
}

function sorted(options: RootInput["options"]): object {
  return Object.entries(options ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}
