#!/usr/bin/env node
/**
 * Builds the kernels with AddressSanitizer and UndefinedBehaviorSanitizer and lets `native-bindings/test/stress.cc`
 * compare every instruction set with the scalar kernels.
 *
 *   node scripts/sanitize-native.mjs [rounds] [seed]
 *
 * One line of output; exit status 1 on a finding, 0 without a compiler that can do it.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), "native-bindings");
const [rounds = "2000", seed = "1"] = process.argv.slice(2);
const [compiler = "g++", ...prefix] = (process.env.CXX ?? "g++").split(" ");

function finish(message, status) {
  console.log(`sanitized kernels: ${message}`);
  process.exit(status);
}

/** The C++ files under a folder of native-bindings, relative to it. */
function sources(relative) {
  return readdirSync(join(folder, relative), { withFileTypes: true }).flatMap((entry) => {
    const path = join(relative, entry.name);
    if (entry.isDirectory()) return sources(path);
    return entry.name.endsWith(".cc") ? [path] : [];
  });
}

if (spawnSync(compiler, [...prefix, "--version"], { stdio: "ignore" }).status !== 0) {
  finish(`skipped, there is no ${compiler}`, 0);
}
const output = join(folder, "build", "sanitize");
mkdirSync(output, { recursive: true });
const program = join(output, "stress");
const flags = [
  "-std=c++20",
  "-O1",
  "-g",
  "-ffp-contract=off",
  "-fsanitize=address,undefined",
  "-fno-sanitize-recover=all",
  "-fno-omit-frame-pointer",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-I.",
];
const files = [...sources("kernels"), ...sources("dispatch"), join("test", "stress.cc")];
const build = spawnSync(compiler, [...prefix, ...flags, ...files, "-o", program], {
  cwd: folder,
  encoding: "utf8",
});
if (build.status !== 0) {
  if (/cannot find -l(asan|ubsan)|libclang_rt/.test(build.stderr)) {
    finish(`skipped, ${compiler} has no sanitizer libraries`, 0);
  }
  console.error(build.stderr);
  finish("the build failed, the compiler's messages are above", 1);
}
const run = spawnSync(program, [rounds, seed], { encoding: "utf8" });
if (run.status !== 0) {
  console.error(`${run.stdout}${run.stderr}`.trimEnd());
  finish("a finding, see above", 1);
}
finish(run.stdout.trim(), 0);
