/** The package as npm publishes it: content of the tarball, and its use from an empty folder. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Report {
  readonly checks: ReadonlyArray<{ readonly name: string; readonly ok: boolean; readonly found: string }>;
}

/** The report comes on stdout whether its checks hold or not. */
async function checkPackage(): Promise<Report> {
  const args = ["scripts/check-package.mjs", "--json"];
  const outcome = await promisify(execFile)(process.execPath, args, { cwd: root }).catch((error: unknown) => {
    if (error instanceof Error && "stdout" in error && error.stdout !== "") return { stdout: error.stdout };
    throw error;
  });
  return JSON.parse(String(outcome.stdout));
}

describe("the published package", () => {
  it("holds what it needs and works offline from a folder of its own", { timeout: 300_000 }, async () => {
    const { checks } = await checkPackage();
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(checks.map(({ name }) => name)).toEqual([
      "required files",
      "nothing else",
      "every module of src",
      "no path of this machine",
      "native addon",
      "maxsim --version",
      "maxsim doctor",
      "index and search",
      "index and search with the WASM kernels",
      "index and search with the TypeScript kernels",
      "errors",
      "library and types",
    ]);
  });
});
