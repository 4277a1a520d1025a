/** Values of the options that name a reranker and what it reads. */
import { MaxsimError } from "../common/errors.js";
import { parseRerankerSpec } from "../rerank/spec.js";

/** `--with` and `--rerank`; the text as it is. Errors: INVALID_ARGUMENT. */
export function rerankerOption(name: string): (text: string) => string {
  return (text) => {
    try {
      parseRerankerSpec(text);
      return text;
    } catch (error) {
      if (!(error instanceof MaxsimError)) throw error;
      const details = error.hint === undefined ? { cause: error } : { hint: error.hint, cause: error };
      throw new MaxsimError(error.code, `${name}: ${error.message}`, details);
    }
  };
}

/** Names with commas between them. Errors: INVALID_ARGUMENT. */
export function fieldsOption(name: string): (text: string) => readonly string[] {
  return (text) => {
    const fields = text.split(",").map((field) => field.trim());
    if (fields.every((field) => field !== "")) return fields;
    throw new MaxsimError(
      "INVALID_ARGUMENT",
      `${name} takes names with commas between them, found ${JSON.stringify(text)}`,
    );
  };
}
