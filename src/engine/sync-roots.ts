/**
 * Which folders and files a sync looks at. An index remembers its roots: the paths that were named, how they are read
 * and what stands before the ids of their files. Roots may lie inside each other; a file belongs to the innermost
 * one, so its id does not depend on what a later sync names.
 */
import { dirname, resolve, sep } from "node:path";
import { MaxsimError } from "../common/errors.js";
import { holdsRecords, namedPrefix } from "../datasets/corpus-file.js";
import type { CorpusOptions } from "../datasets/types.js";

/** How the files of a root are read; part of what the index remembers. */
export type ReadingOptions = Omit<CorpusOptions, "signal" | "excludePaths">;

export interface RememberedRoot {
  readonly rootNo: number;
  /** Absolute. */
  readonly path: string;
  readonly prefix: string;
  readonly options: ReadingOptions;
}

export interface SyncRoot {
  /** Null for a root that the index does not know yet. */
  readonly rootNo: number | null;
  readonly path: string;
  readonly prefix: string;
  readonly options: ReadingOptions;
  /** Its options are not the remembered ones. */
  readonly altered: boolean;
  /** Its records must be read again, because other fields of them count now. */
  readonly reread: boolean;
}

/** A part of a root that is compared with its files. */
export interface SyncScope {
  readonly root: SyncRoot;
  /** Absolute: the root itself, or a path inside it. */
  readonly path: string;
}

export interface SyncScopes {
  /** By path, in code unit order; none lies in another one of the same root. */
  readonly scopes: readonly SyncScope[];
  /** All roots of the index and the new ones, by path. */
  readonly roots: ReadonlyMap<string, SyncRoot>;
}

const RECORD_OPTIONS = ["textColumn", "idColumn", "titleColumn", "skipInvalid"] as const;

/**
 * The scopes of the named paths, or of all remembered roots when `paths` is undefined. A named path that no root
 * contains becomes a root. `given` holds the options that this call names; they win over the remembered ones.
 * Errors: INVALID_ARGUMENT for no path and no remembered root, for two roots whose documents would share ids, and for
 * options beside a path inside a root.
 */
export function syncScopes(
  paths: readonly string[] | undefined,
  remembered: readonly RememberedRoot[],
  given: ReadingOptions,
): SyncScopes {
  const roots = new Map<string, SyncRoot>(
    remembered.map((root) => [root.path, { ...root, altered: false, reread: false }]),
  );
  const named = paths?.map((path) => resolve(path)) ?? [...roots.keys()];
  if (named.length === 0) throw nothingNamed(paths);
  const targets = [...new Set(named)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const fresh: string[] = [];
  // A path comes before what lies in it, so the second of two that contain each other is no root of its own.
  for (const path of targets) {
    if (innermostRoot(path, roots) !== undefined) continue;
    fresh.push(path);
    roots.set(path, newRoot(path, given));
  }
  if (roots.size > 1) {
    for (const path of fresh) roots.set(path, { ...roots.get(path)!, prefix: namedPrefix(path) });
  }
  refuseSharedIds(fresh, roots);
  const reached = new Map<string, SyncScope>();
  for (const path of targets) {
    const root = innermostRoot(path, roots)!;
    if (root.path !== path && Object.keys(given).length > 0) throw optionsInside(path, root.path);
    reached.set(path, { root, path });
    for (const inner of roots.values()) {
      if (isInside(inner.path, path)) reached.set(inner.path, { root: inner, path: inner.path });
    }
  }
  for (const path of targets) {
    const root = roots.get(path);
    if (root !== undefined && root.rootNo !== null) roots.set(path, withOptions(root, given));
  }
  const scopes = [...reached.values()]
    .map(({ root, path }) => ({ root: roots.get(root.path)!, path }))
    .filter(({ root, path }) => root.path === path || !coveredBy(path, root.path, reached))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  return { scopes, roots };
}

/** The innermost of the roots that is `path` or contains it. */
export function innermostRoot(path: string, roots: ReadonlyMap<string, SyncRoot>): SyncRoot | undefined {
  for (let at = path; ; ) {
    const root = roots.get(at);
    if (root !== undefined) return root;
    const above = dirname(at);
    if (above === at) return undefined;
    at = above;
  }
}

/** Whether `path` lies below `folder`; a path does not lie below itself. */
export function isInside(path: string, folder: string): boolean {
  return path !== folder && path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** Whether a path lies in the scope and in no root inside the scope's. */
export function belongsTo(path: string, scope: SyncScope, roots: ReadonlyMap<string, SyncRoot>): boolean {
  if (path !== scope.path && !isInside(path, scope.path)) return false;
  return innermostRoot(path, roots)?.path === scope.root.path;
}

/** Whether a path between this one and its root, or the root, is a scope as well. */
function coveredBy(path: string, root: string, reached: ReadonlyMap<string, SyncScope>): boolean {
  for (let at = path; at !== root; ) {
    at = dirname(at);
    if (reached.has(at)) return true;
  }
  return false;
}

function newRoot(path: string, options: ReadingOptions): SyncRoot {
  return { rootNo: null, path, prefix: "", options, altered: false, reread: false };
}

function withOptions(root: SyncRoot, given: ReadingOptions): SyncRoot {
  const options = { ...root.options, ...given };
  const names = Object.keys(options) as Array<keyof ReadingOptions>;
  const altered = names.some((name) => !sameOption(options[name], root.options[name]));
  const reread = RECORD_OPTIONS.some((name) => options[name] !== root.options[name]);
  return { ...root, options, altered, reread };
}

function sameOption(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function refuseSharedIds(fresh: readonly string[], roots: ReadonlyMap<string, SyncRoot>): void {
  for (const path of fresh) {
    const { prefix } = roots.get(path)!;
    // Records have ids of their own.
    if (prefix === "" || holdsRecords(path)) continue;
    const other = [...roots.values()].find(
      (root) => root.path !== path && !holdsRecords(root.path) && root.prefix === prefix,
    );
    if (other === undefined) continue;
    throw new MaxsimError(
      "INVALID_ARGUMENT",
      `${other.path} and ${path} have the same name, so their documents would share ids`,
      { hint: "Name the folder above both, or keep them in two indexes." },
    );
  }
}

function nothingNamed(paths: readonly string[] | undefined): MaxsimError {
  return new MaxsimError(
    "INVALID_ARGUMENT",
    paths === undefined
      ? "this index remembers no folder or file that it was made from"
      : "paths must name a folder or file, found none",
    { hint: "Name the paths to sync; later a sync without paths takes the same ones." },
  );
}

function optionsInside(path: string, root: string): MaxsimError {
  return new MaxsimError(
    "INVALID_ARGUMENT",
    `reading options hold for all of ${root}, of which only ${path} was named`,
    { hint: `Leave the options out, or sync ${root} with them.` },
  );
}
