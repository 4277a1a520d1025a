/**
 * Where the entry file of a worker thread lies. Threads load plain JavaScript: from a built package that is the file
 * beside this one, from TypeScript sources (a test runner) the build's output.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { MaxsimError } from "../common/errors.js";

/** The entry file of the worker called `name`, such as "encode-worker". */
export function workerFile(name: string): URL {
  const fromSource = import.meta.url.endsWith(".ts");
  const url = new URL(fromSource ? `../../dist/workers/${name}.js` : `./${name}.js`, import.meta.url);
  if (!existsSync(fileURLToPath(url))) {
    throw new MaxsimError("WORKER_FAILED", `the worker file ${fileURLToPath(url)} does not exist`, {
      hint: fromSource
        ? "Run `npm run build`."
        : "The installation is incomplete: install the package again.",
    });
  }
  return url;
}
