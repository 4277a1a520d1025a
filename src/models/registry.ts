/** Finds a model by what the user calls it: nothing, a folder, a bundled name or a Hugging Face repository. */
import { readdir, stat } from "node:fs/promises";
import { isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { checkString, describe } from "../common/check.js";
import { ioError, MaxsimError, systemCode } from "../common/errors.js";
import { downloadModel, type HubOptions, parseRepositoryId } from "./hub.js";

/** The bundled model that "default" stands for. */
export const DEFAULT_MODEL = "maxsim-small-en-v1";

/** From `src/models` and from `dist/models` alike, the package root is two folders up. */
const bundledFolder = fileURLToPath(new URL("../../index-data/models/", import.meta.url));

export interface BundledModel {
  readonly name: string;
  readonly folder: string;
}

/** Models that ship with the package, by name. */
export async function listBundledModels(): Promise<readonly BundledModel[]> {
  let entries: string[];
  try {
    entries = await readdir(bundledFolder);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw ioError("list", bundledFolder, error);
  }
  return entries.sort().map((name) => ({ name, folder: resolve(bundledFolder, name) }));
}

/**
 * The folder of a model. "default" or nothing is the bundled model; then come folders, bundled names and repository
 * ids `organization/name[@revision]`, which are downloaded unless the cache has them.
 * @throws MaxsimError MODEL_NOT_FOUND, MODEL_INVALID, NETWORK, ABORTED.
 */
export async function resolveModel(name = "default", options: HubOptions = {}): Promise<string> {
  checkString("model", name);
  const bundled = await listBundledModels();
  const wanted = name === "default" ? DEFAULT_MODEL : name;
  const found = bundled.find((model) => model.name === wanted);
  if (found !== undefined) return found.folder;
  if (await isFolder(name)) return resolve(name);
  const id = isPath(name) ? undefined : parseRepositoryId(name);
  if (id !== undefined) return downloadModel(id, options);
  const choice = bundled.map((model) => model.name).join(", ") || "none";
  throw new MaxsimError(
    "MODEL_NOT_FOUND",
    `there is no model ${describe(name)}: no such folder and no such name`,
    {
      hint: `Give the path of a model folder, a repository id such as organization/name, or a bundled model (${choice}).`,
    },
  );
}

/** `./a/b`, `../a`, `/a/b` and `C:\\a` never mean a repository. */
function isPath(name: string): boolean {
  return isAbsolute(name) || /^\.{1,2}([\\/]|$)/.test(name);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw ioError("look at", path, error);
  }
}
