/** What is fixed when an index is made. */
import { isAbsolute, resolve } from "node:path";
import { checkInteger, checkOneOf, checkString, invalidArgument } from "../common/check.js";
import type { IndexSettings } from "../documents/records.js";
import { MAX_DIM } from "../kernels/backend.js";
import { LEXICAL_KINDS, type LexicalKind } from "../lexical/types.js";
import { identifyModel } from "./model-handle.js";
import type { CreateOptions } from "./options.js";

const DEFAULT_NBITS = 4;
const DEFAULT_SEED = 42;
const DEFAULT_LEXICAL: LexicalKind = "english";

/** Errors: INVALID_ARGUMENT, MODEL_NOT_FOUND, MODEL_INVALID. */
export async function createSettings(options: CreateOptions): Promise<IndexSettings> {
  const nbits = checkOneOf("nbits", options.nbits ?? DEFAULT_NBITS, [1, 2, 4] as const);
  const seed = checkInteger("seed", options.seed ?? DEFAULT_SEED, 0, 0xffffffff);
  const lexical = checkOneOf("lexical", options.lexical ?? DEFAULT_LEXICAL, LEXICAL_KINDS);
  const fixed = { nbits, seed, options: {}, ...(lexical === "off" ? {} : { lexical }) };
  if (options.model === null) {
    const dim = checkInteger("dim", options.dim, 8, MAX_DIM);
    if (dim % 8 !== 0) throw invalidArgument("dim", "a multiple of 8", dim);
    return { dim, model: null, ...fixed };
  }
  const name = options.model === undefined ? undefined : checkString("model", options.model);
  const { settings, fingerprint } = await identifyModel(name);
  if (options.dim !== undefined && options.dim !== settings.dim) {
    throw invalidArgument("dim", `${settings.dim}, the dimension of model ${settings.name}`, options.dim);
  }
  return { dim: settings.dim, model: { name: recordedName(name, settings), fingerprint }, ...fixed };
}

/** The name under which the model is found again: as given, but absolute for a folder. */
function recordedName(
  name: string | undefined,
  settings: { readonly name: string; readonly folder: string },
): string {
  if (name === undefined || name === "default") return settings.name;
  return isAbsolute(name) || resolve(name) === settings.folder ? settings.folder : name;
}
