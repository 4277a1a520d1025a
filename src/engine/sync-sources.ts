/** What the index remembers of roots and files after a sync, as a change of the catalog. */

import { MaxsimError } from "../common/errors.js";
import type { JsonValue } from "../common/json.js";
import type { CatalogChange } from "../documents/catalog.js";
import type { RootInput, RootRecord, SourceInput, SourceRecord } from "../documents/records.js";
import { FLAGS, LISTS, NAMES } from "./sync-options.js";
import type { KnownFile, SyncPlan } from "./sync-plan.js";
import type { ReadingOptions, RememberedRoot, SyncRoot, SyncScopes } from "./sync-roots.js";
import type { ScannedFile } from "./sync-scan.js";

/** Roots with their options checked. Errors: CORRUPT for options that no sync has written. */
export function rememberedRoots(catalogPath: string, roots: readonly RootRecord[]): RememberedRoot[] {
  return roots.map(({ options, ...root }) => {
    if (typeof options !== "object" || options === null || Array.isArray(options))
      throw odd(catalogPath, root.path);
    const known = options as Readonly<Record<string, JsonValue>>;
    const right =
      FLAGS.every((name) => known[name] === undefined || typeof known[name] === "boolean") &&
      NAMES.every((name) => known[name] === undefined || typeof known[name] === "string") &&
      LISTS.every((name) => known[name] === undefined || isListOfStrings(known[name])) &&
      (known.maxFileSize === undefined || typeof known.maxFileSize === "number");
    if (!right) throw odd(catalogPath, root.path);
    return { ...root, options: known as ReadingOptions };
  });
}

function isListOfStrings(value: JsonValue | undefined): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function odd(catalogPath: string, root: string): MaxsimError {
  return new MaxsimError("CORRUPT", `${catalogPath} is damaged: the options of root ${root} cannot be used`, {
    hint: "Restore the index from a copy, or build it again.",
  });
}

export interface Remembering {
  readonly scopes: SyncScopes;
  readonly plan: SyncPlan<SourceRecord, ScannedFile>;
  /** All files of the index. */
  readonly sources: readonly SourceRecord[];
  readonly vanished: readonly SyncRoot[];
  /** Files of the plan that could not be read: what is remembered of them stays, so that the next sync tries again. */
  readonly failed: ReadonlySet<string>;
  /** First number for a new root. */
  readonly nextRoot: number;
}

/**
 * Rows to add and drop. A root of other options gets a new row, and with it all of its files do. Roots of which the sync
 * saw only a part stay.
 */
export function rememberedChange({
  scopes,
  plan,
  sources,
  vanished,
  failed,
  nextRoot,
}: Remembering): Pick<CatalogChange, "roots" | "sources"> {
  const gone = new Set(vanished.map(({ path }) => path));
  const fresh = [...scopes.roots.values()]
    .filter(({ path, rootNo, altered }) => !gone.has(path) && (rootNo === null || altered))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const numbers = new Map(fresh.map(({ path }, i) => [path, nextRoot + i]));
  const numberOf = (root: SyncRoot): number => numbers.get(root.path) ?? root.rootNo!;
  const replaced = new Map(
    fresh.flatMap((root) => (root.rootNo === null ? [] : [[root.rootNo, numberOf(root)] as const])),
  );
  const drop = new Set<number>();
  const add: SourceInput[] = [];
  const record = ({ path, size, modified, sha256 }: KnownFile | ScannedFile, rootNo: number): void => {
    add.push({ rootNo, path, size, modified, sha256 });
  };
  for (const file of plan.added) if (!failed.has(file.path)) record(file, numberOf(file.root));
  for (const { known, file } of [...plan.changed, ...plan.renamed, ...plan.touched]) {
    if (failed.has(file.path)) continue;
    drop.add(known.sourceNo);
    record(file, numberOf(file.root));
  }
  for (const { sourceNo } of plan.gone) drop.add(sourceNo);
  for (const source of sources) {
    const rootNo = replaced.get(source.rootNo);
    if (rootNo === undefined || drop.has(source.sourceNo)) continue;
    drop.add(source.sourceNo);
    record(source, rootNo);
  }
  add.sort((a, b) => (a.path < b.path ? -1 : 1));
  return {
    roots: {
      add: fresh.map((root) => ({ rootNo: numberOf(root), ...rootInput(root) })),
      drop: [...replaced.keys(), ...vanished.flatMap(({ rootNo }) => rootNo ?? [])].sort((a, b) => a - b),
    },
    sources: { add, drop: [...drop].sort((a, b) => a - b) },
  };
}

/** What is remembered of a root; options that were not named are left out. */
export function rootInput({ path, prefix, options }: SyncRoot): RootInput {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { path, prefix, options: Object.fromEntries(given) };
}
