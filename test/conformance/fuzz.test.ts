/** A short run of the fuzzer on the addon's functions; `node scripts/fuzz-native.mjs` runs as long as it is told. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const script = fileURLToPath(new URL("../../scripts/fuzz-native.mjs", import.meta.url));
const seconds = process.env.CI ? 20 : 5;

// The rest of the time goes into compiling the addon, which is done only when a source has changed.
it("the addon refuses bad calls and computes good ones the same with every instruction set", {
  timeout: 600_000,
}, (test) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, String(seconds)], {
    encoding: "utf8",
  });
  if (stdout.startsWith("fuzzed addon: skipped")) test.skip(stdout.trim());
  expect(stderr).toBe("");
  expect(stdout).toMatch(/^fuzzed addon: \d+ calls in \d+ s on /);
  expect(status).toBe(0);
});
