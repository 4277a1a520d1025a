/**
 * The Hugging Face download cache, in the layout that the Python client uses, so that both share it:
 * `models--org--name/{blobs/<etag>, refs/<revision>, snapshots/<commit>/<path> -> ../../blobs/<etag>}`.
 */
import { randomUUID } from "node:crypto";
import { copyFile, mkdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, relative } from "node:path";
import { ioError, systemCode } from "../common/errors.js";

/** The environment variables that matter here. */
export interface Environment {
  readonly HF_HUB_CACHE?: string | undefined;
  readonly HUGGINGFACE_HUB_CACHE?: string | undefined;
  readonly HF_HOME?: string | undefined;
  readonly XDG_CACHE_HOME?: string | undefined;
  readonly HF_ENDPOINT?: string | undefined;
  readonly HF_TOKEN?: string | undefined;
  /** "1", "true", "yes" or "on": never to use the network. */
  readonly HF_HUB_OFFLINE?: string | undefined;
}

export const COMMIT = /^[0-9a-f]{40}$/;

/** Root of the cache: HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, or `hub` below HF_HOME or the user's cache folder. */
export function cacheRoot(env: Environment): string {
  const explicit = env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE;
  if (explicit) return explicit;
  const home = env.HF_HOME || join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "huggingface");
  return join(home, "hub");
}

export class RepositoryCache {
  /** Folder of the repository in the cache. */
  readonly path: string;

  constructor(root: string, repository: string) {
    this.path = join(root, `models--${repository.replaceAll("/", "--")}`);
  }

  snapshot(commit: string): string {
    return join(this.path, "snapshots", commit);
  }

  blob(etag: string): string {
    return join(this.path, "blobs", etag);
  }

  /** The commit that a branch, tag or commit stood for when it was last downloaded. */
  async commitOf(revision: string): Promise<string | undefined> {
    if (COMMIT.test(revision)) return revision;
    const file = join(this.path, "refs", revision);
    try {
      const commit = (await readFile(file, "utf8")).trim();
      return COMMIT.test(commit) ? commit : undefined;
    } catch (error) {
      if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return undefined;
      throw ioError("read", file, error);
    }
  }

  async has(path: string): Promise<boolean> {
    try {
      return (await stat(path)).isFile();
    } catch (error) {
      if (systemCode(error) === "ENOENT") return false;
      throw ioError("look at", path, error);
    }
  }

  async writeRef(revision: string, commit: string): Promise<void> {
    if (COMMIT.test(revision)) return;
    const file = join(this.path, "refs", revision);
    await replace(file, (temporary) => writeFile(temporary, commit));
  }

  /** Makes `snapshots/<commit>/<name>` lead to a blob; a copy where symbolic links are not allowed (Windows). */
  async link(commit: string, name: string, etag: string): Promise<void> {
    const path = join(this.snapshot(commit), name);
    const blob = this.blob(etag);
    await replace(path, async (temporary) => {
      try {
        await symlink(relative(dirname(path), blob), temporary);
      } catch (error) {
        if (systemCode(error) !== "EPERM" && systemCode(error) !== "ENOTSUP") throw error;
        await copyFile(blob, temporary);
      }
    });
  }
}

/** Writes beside `path` and renames, so that nobody sees half a file and two processes do not disturb each other. */
async function replace(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${process.pid}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await write(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw ioError("write", path, error);
  }
}
