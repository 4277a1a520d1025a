#!/usr/bin/env node
/**
 * Builds the native addon with node-gyp, when a source is newer than the built file. Without a compiler it says
 * so and succeeds, because the package works without the addon; with `--required` that is a failure.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, "native-bindings");
const addon = join(folder, "build", "Release", "maxsim.node");
const required = process.argv.includes("--required");
const force = process.argv.includes("--force");

/** Time of the last change of any file that the build reads. */
function newestSource(path) {
  let newest = 0;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.name === "build" || entry.name === "prebuilds" || entry.name === "test") continue;
    const child = join(path, entry.name);
    if (entry.isDirectory()) newest = Math.max(newest, newestSource(child));
    else if (/\.(cc|h|gyp)$/.test(entry.name)) newest = Math.max(newest, statSync(child).mtimeMs);
  }
  return newest;
}

function finish(message, built) {
  console.log(`native kernels: ${message}`);
  process.exit(built || !required ? 0 : 1);
}

/** The folder above include/node of the running Node, so that headers are not downloaded. */
function headerFolder() {
  const candidate = dirname(dirname(process.execPath));
  return existsSync(join(candidate, "include", "node", "node_api.h")) ? candidate : undefined;
}

if (!force && existsSync(addon) && statSync(addon).mtimeMs >= newestSource(folder))
  finish("up to date", true);

const compiler = process.env.CXX ?? (process.platform === "win32" ? undefined : "c++");
if (compiler !== undefined) {
  const [command, ...prefix] = compiler.split(" ");
  if (spawnSync(command, [...prefix, "--version"], { stdio: "ignore" }).status !== 0) {
    finish(`not built, there is no C++ compiler (${compiler}); the WASM kernels remain`, false);
  }
}

const gyp = join(root, "node_modules", "node-gyp", "bin", "node-gyp.js");
if (!existsSync(gyp)) {
  finish("not built, node-gyp is not installed (run npm install); the WASM kernels remain", false);
}
const headers = headerFolder();
const started = Date.now();
const build = spawnSync(
  process.execPath,
  [gyp, "rebuild", "--directory", folder, "--jobs", "2", ...(headers ? ["--nodedir", headers] : [])],
  { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
);
if (build.status !== 0) {
  console.error(`${build.stdout ?? ""}${build.stderr ?? ""}`.trimEnd());
  finish("not built, the compiler's messages are above; the WASM kernels remain", false);
}
finish(`built in ${((Date.now() - started) / 1000).toFixed(1)} s`, true);
