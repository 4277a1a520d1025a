import { MaxsimError } from "../common/errors.js";
import { NotJsonError, toJsonText } from "./json-text.js";
import type { IndexSettings } from "./records.js";

/** The settings as commits record them: equal settings give the same text. Errors: INVALID_ARGUMENT. */
export function settingsText(settings: IndexSettings): string {
  try {
    const { dim, nbits, seed, model, options, lexical } = settings;
    const fullText = lexical === undefined ? {} : { lexical };
    return toJsonText({ dim, nbits, seed, model, options, ...fullText }, { sortKeys: true });
  } catch (error) {
    if (!(error instanceof NotJsonError)) throw error;
    throw new MaxsimError("INVALID_ARGUMENT", `settings must be JSON: ${error.message}`);
  }
}
