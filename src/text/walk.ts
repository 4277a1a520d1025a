/** The files below the paths that a user names. */
import type { Dirent, Stats } from "node:fs";
import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { basename, isAbsolute, join, relative, resolve, sep } from "node:path";
import { ioError, MaxsimError, systemCode } from "../common/errors.js";
import { formatOf, isRich, recordKindOf } from "./formats.js";
import { IgnoreRules } from "./ignore-rules.js";
import { PathPatterns } from "./path-patterns.js";

export interface WalkOptions {
  /** Also files and folders whose names begin with a dot; `.git` never. Default false. */
  readonly hidden?: boolean;
  /** Respect `.gitignore` files in the named folders and below. Default true. */
  readonly gitignore?: boolean;
  /** Also folders called `node_modules`; a named path inside of one is always read. Default false. */
  readonly nodeModules?: boolean;
  /**
   * Larger files are skipped, in bytes; files of records, which are streamed, are not. Default 10 MiB, and 100 MiB for PDF, Word, EPUB
   * and notebooks, which hold pictures.
   */
  readonly maxFileSize?: number;
  /** Of the files in folders only those that match one of these patterns (see path-patterns.ts); none means all of them. */
  readonly include?: readonly string[];
  /** Patterns of files and folders that are left out, also of included ones. */
  readonly exclude?: readonly string[];
  /** Absolute paths of files and folders below the named ones that are left out without a word. */
  readonly excludePaths?: readonly string[];
}

export interface FoundFile {
  readonly kind: "file";
  /** Absolute. */
  readonly path: string;
  /** Absolute path of the named folder or file below which it was found. */
  readonly root: string;
  /** Relative to the root, with forward slashes; the base name where the root is the file. */
  readonly relativePath: string;
  /** Bytes. */
  readonly size: number;
  /** Time of the last modification, whole milliseconds since 1970. */
  readonly modified: number;
  /** The user named this file, it was not found in a folder. */
  readonly named: boolean;
}

export interface SkippedFile {
  readonly kind: "skipped";
  readonly path: string;
  readonly reason: string;
  /** Unreadable (a folder stands for all that lies in it), larger than the limit, or no regular file. */
  readonly cause: "unreadable" | "large" | "special";
}

const MIB = 1024 * 1024;
const DEFAULT_MAX_FILE_SIZE = 10 * MIB;
const DEFAULT_MAX_RICH_SIZE = 100 * MIB;

/**
 * Regular files below each path, by name in code unit order, folders among them. Symbolic links below a named path
 * are never followed: what they point to inside the root is read under its own path. What is skipped by a rule that
 * the user knows (hidden, ignored, excluded, not included) is left out; anything else that is skipped is reported with the reason.
 * Errors: PATH_NOT_FOUND for a named path that does not exist or cannot be read, INVALID_ARGUMENT for a pattern that is none.
 */
export async function* walkFiles(
  paths: readonly string[],
  options: WalkOptions = {},
): AsyncGenerator<FoundFile | SkippedFile> {
  for (const path of paths) {
    const root = resolve(path);
    const stats = await statNamed(path, root);
    if (stats.isDirectory()) {
      yield* walkFolder(path, root, options);
    } else {
      yield fileOrReason(root, root, basename(root), stats, options, true);
    }
  }
}

async function statNamed(path: string, root: string): Promise<Stats> {
  try {
    return await stat(root);
  } catch (error) {
    const code = systemCode(error);
    throw new MaxsimError(
      "PATH_NOT_FOUND",
      code === "ENOENT" || code === "ENOTDIR"
        ? `no such file or folder: ${path}`
        : `cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`,
      { hint: "Check the spelling and the permissions of the path.", cause: error },
    );
  }
}

interface Folder {
  readonly path: string;
  /** "" or the path relative to the root with a slash at the end. */
  readonly prefix: string;
  readonly rules: IgnoreRules | undefined;
}

async function* walkFolder(
  named: string,
  root: string,
  options: WalkOptions,
): AsyncGenerator<FoundFile | SkippedFile> {
  const modules = options.nodeModules === true || root.split(sep).includes("node_modules");
  // Entries still to visit, the next one last: no recursion, so depth costs nothing.
  const pending: Array<{ entry: Dirent; folder: Folder }> = [];
  const realRoot = await realpath(root);
  const excluded = new Set(options.excludePaths);
  const patterns = new PathPatterns(options.include ?? [], options.exclude ?? []);
  let folder: Folder | undefined = {
    path: root,
    prefix: "",
    rules: await rulesOf(root, "", undefined, options),
  };
  for (;;) {
    if (folder !== undefined) {
      try {
        const entries: Dirent[] = await readdir(folder.path, { withFileTypes: true });
        if (folder.path !== root && isIndex(entries)) {
          yield { kind: "skipped", path: folder.path, reason: "the folder of an index", cause: "special" };
        } else {
          entries.sort((a, b) => (a.name < b.name ? 1 : -1));
          for (const entry of entries) pending.push({ entry, folder });
        }
      } catch (error) {
        if (folder.path === root) throw unreadableRoot(named, error);
        yield { kind: "skipped", path: folder.path, reason: unreadable(error), cause: "unreadable" };
      }
      folder = undefined;
    }
    const next = pending.pop();
    if (next === undefined) return;
    const { name } = next.entry;
    const path = join(next.folder.path, name);
    const relativePath = next.folder.prefix + name;
    if (excluded.has(path)) continue;
    if (name === ".git" || (name === "node_modules" && !modules)) continue;
    if (name.startsWith(".") && options.hidden !== true) continue;
    let stats: Stats;
    try {
      stats = await lstat(path);
    } catch (error) {
      yield { kind: "skipped", path, reason: unreadable(error), cause: "unreadable" };
      continue;
    }
    if (next.folder.rules?.ignores(relativePath, stats.isDirectory()) === true) continue;
    if (patterns.excludes(relativePath, stats.isDirectory())) continue;
    if (stats.isDirectory()) {
      const prefix = `${relativePath}/`;
      folder = { path, prefix, rules: await rulesOf(path, prefix, next.folder.rules, options) };
    } else if (!patterns.includes(relativePath)) {
    } else if (stats.isSymbolicLink()) {
      yield { kind: "skipped", path, reason: await linkReason(path, realRoot), cause: "special" };
    } else {
      yield fileOrReason(path, root, relativePath, stats, options, false);
    }
  }
}

/** Files that every written index has: none of what lies beside them is a text of the user. */
const INDEX_FILES = ["catalog.sqlite", "write.lock"];

function isIndex(entries: readonly Dirent[]): boolean {
  return INDEX_FILES.every((name) => entries.some((entry) => entry.name === name));
}

async function rulesOf(
  path: string,
  prefix: string,
  parent: IgnoreRules | undefined,
  options: WalkOptions,
): Promise<IgnoreRules | undefined> {
  return options.gitignore === false ? undefined : IgnoreRules.load(path, prefix, parent);
}

function fileOrReason(
  path: string,
  root: string,
  relativePath: string,
  stats: Stats,
  options: WalkOptions,
  named: boolean,
): FoundFile | SkippedFile {
  const usual = isRich(formatOf(path)) ? DEFAULT_MAX_RICH_SIZE : DEFAULT_MAX_FILE_SIZE;
  const limit = options.maxFileSize ?? usual;
  const skipped = (reason: string, cause: SkippedFile["cause"]): SkippedFile => {
    return { kind: "skipped", path, reason, cause };
  };
  if (!stats.isFile()) return skipped(`not a regular file but ${specialName(stats)}`, "special");
  if (stats.size > limit && recordKindOf(path) === undefined) {
    return skipped(`larger than ${limit} bytes: ${stats.size}`, "large");
  }
  const modified = Math.floor(stats.mtimeMs);
  return { kind: "file", path, root, relativePath, size: stats.size, modified, named };
}

function specialName(stats: Stats): string {
  if (stats.isFIFO()) return "a named pipe";
  if (stats.isSocket()) return "a socket";
  return "a device";
}

async function linkReason(path: string, realRoot: string): Promise<string> {
  let target: string;
  try {
    target = await realpath(path);
  } catch (error) {
    return `a symbolic link that leads nowhere (${systemCode(error) ?? String(error)})`;
  }
  const inside = relative(realRoot, target);
  return inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside)
    ? "a symbolic link out of the folder"
    : "a symbolic link inside the folder; its target is read under its own path";
}

function unreadable(error: unknown): string {
  return `cannot be read: ${systemCode(error) ?? String(error)}`;
}

function unreadableRoot(named: string, error: unknown): MaxsimError {
  const { message } = ioError("read", named, error);
  return new MaxsimError("PATH_NOT_FOUND", message, {
    hint: "Check the permissions of the folder.",
    cause: error,
  });
}
