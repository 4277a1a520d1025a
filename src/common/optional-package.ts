/** Packages that need not be installed. */
import { MaxsimError, systemCode } from "./errors.js";

/**
 * What `load` gives, which imports the package `name`. Errors: PACKAGE_MISSING naming it, and what it is for.
 * @param purpose what cannot be done without it, such as "reading PDF files".
 */
export async function importOptional<T>(name: string, purpose: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const code = systemCode(cause);
    const missing = code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND";
    const reason = cause instanceof Error ? cause.message.split("\n")[0]! : String(cause);
    throw new MaxsimError(
      "PACKAGE_MISSING",
      missing
        ? `${purpose} needs the package ${name}, which is not installed`
        : `${purpose} needs the package ${name}, which does not load: ${reason}`,
      { hint: `Run \`npm install ${name}\`.`, cause },
    );
  }
}
