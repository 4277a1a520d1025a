/**
 * What happened to files since the index saw them, from two lists alone. A file is what its content says: the time of
 * modification only spares reading it. A file is renamed when its content lies at a new path and its old path is gone;
 * what was copied, swapped with another file, or renamed and edited, counts as added, changed, or removed.
 */
import { basename } from "node:path";

/** A file as the index remembers it. */
export interface KnownFile {
  /** Absolute. */
  readonly path: string;
  readonly rootNo: number;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds. */
  readonly modified: number;
  readonly sha256: string;
}

/** A file as it is now. */
export interface PresentFile {
  readonly path: string;
  /** Null for a root that the index does not know yet. */
  readonly rootNo: number | null;
  readonly size: number;
  readonly modified: number;
  readonly sha256: string;
  /** To be compared document by document although its content may be the same. */
  readonly reread: boolean;
}

export interface SyncPlan<Known extends KnownFile, Present extends PresentFile> {
  /** In the order in which the files were found. */
  readonly added: readonly Present[];
  readonly changed: ReadonlyArray<{ readonly known: Known; readonly file: Present }>;
  readonly renamed: ReadonlyArray<{ readonly known: Known; readonly file: Present }>;
  /** Same content, but another time or root. */
  readonly touched: ReadonlyArray<{ readonly known: Known; readonly file: Present }>;
  readonly unchanged: readonly Known[];
  /** By path. */
  readonly gone: readonly Known[];
  /** Remembered files that exist but cannot be read now, by path: their documents stay. */
  readonly kept: readonly Known[];
}

export interface PlanRules {
  /** Whether a remembered file that was not found exists all the same. */
  readonly exists: (path: string) => boolean;
  /** Two paths of which equal content gives equal documents have an equal reader. */
  readonly readerOf: (path: string) => string;
}

/** @param known the remembered files that lie where was looked; @param found each path once. */
export function planSync<Known extends KnownFile, Present extends PresentFile>(
  known: readonly Known[],
  found: readonly Present[],
  rules: PlanRules,
): SyncPlan<Known, Present> {
  const missing = new Map(known.map((file) => [file.path, file]));
  const fresh: Present[] = [];
  const changed: Array<{ known: Known; file: Present }> = [];
  const touched: Array<{ known: Known; file: Present }> = [];
  const unchanged: Known[] = [];
  for (const file of found) {
    const before = missing.get(file.path);
    missing.delete(file.path);
    if (before === undefined) fresh.push(file);
    else if (before.sha256 !== file.sha256 || file.reread) changed.push({ known: before, file });
    else if (sameRecord(before, file)) unchanged.push(before);
    else touched.push({ known: before, file });
  }
  const absent = [...missing.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  const kept = absent.filter(({ path }) => rules.exists(path));
  const keptPaths = new Set(kept.map(({ path }) => path));
  const left = absent.filter(({ path }) => !keptPaths.has(path));
  const origins = findRenames(left, fresh, rules.readerOf);
  const moved = new Set([...origins.values()].map(({ path }) => path));
  return {
    added: fresh.filter((file) => !origins.has(file)),
    changed,
    renamed: fresh.flatMap((file) => {
      const from = origins.get(file);
      return from === undefined ? [] : [{ known: from, file }];
    }),
    touched,
    unchanged,
    gone: left.filter(({ path }) => !moved.has(path)),
    kept,
  };
}

function sameRecord(known: KnownFile, file: PresentFile): boolean {
  return known.modified === file.modified && known.size === file.size && known.rootNo === file.rootNo;
}

/** Where new files came from. Among several of the same content, those that kept their base name find each other first. */
function findRenames<Known extends KnownFile, Present extends PresentFile>(
  gone: readonly Known[],
  fresh: readonly Present[],
  readerOf: (path: string) => string,
): Map<Present, Known> {
  // Empty files have nothing that could be kept.
  const contentOf = ({ path, sha256, size }: KnownFile | PresentFile): string | undefined =>
    size === 0 ? undefined : `${readerOf(path)} ${sha256}`;
  const byContent = new Map<string, Known[]>();
  for (const file of gone) {
    const content = contentOf(file);
    if (content === undefined) continue;
    const others = byContent.get(content);
    if (others === undefined) byContent.set(content, [file]);
    else others.push(file);
  }
  const origins = new Map<Present, Known>();
  for (const sameName of [true, false]) {
    for (const file of fresh) {
      const content = contentOf(file);
      const candidates = content === undefined ? undefined : byContent.get(content);
      if (candidates === undefined || origins.has(file)) continue;
      const at = candidates.findIndex(({ path }) => !sameName || basename(path) === basename(file.path));
      if (at >= 0) origins.set(file, candidates.splice(at, 1)[0]!);
    }
  }
  return origins;
}
