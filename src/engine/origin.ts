/**
 * Where the documents of an add come from, so that a later sync knows their files. An add replaces what has the same id
 * and removes nothing else, so what the index remembers only grows here.
 */
import { type CorpusRoot, corpusRoots, namedPrefix, type ReadFile } from "../datasets/corpus.js";
import type { CatalogChange } from "../documents/catalog.js";
import type { RootInput, RootRecord, SourceInput, SourceRecord } from "../documents/records.js";

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

/**
 * The roots of an add: a remembered one keeps its prefix, a further one beside others gets its name.
 * Errors: INVALID_ARGUMENT for two paths whose documents would share ids.
 */
export function originRoots(
  paths: readonly string[],
  remembered: readonly { readonly path: string; readonly prefix: string }[],
): CorpusRoot[] {
  const prefixes = new Map(remembered.map(({ path, prefix }) => [path, prefix]));
  return corpusRoots(paths).map(({ path, prefix }) => ({
    path,
    prefix: prefixes.get(path) ?? (remembered.length > 0 ? namedPrefix(path) : prefix),
  }));
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
  // A file that was found below two roots counts for the inner one.
  const files = new Map<string, ReadFile>();
  for (const file of origin.files) {
    const other = files.get(file.path);
    if (other === undefined || other.root.length < file.root.length) files.set(file.path, file);
  }
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
