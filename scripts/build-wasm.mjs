#!/usr/bin/env node
/**
 * Compiles the WASM kernels (native-bindings/wasm) with AssemblyScript, once for SIMD128 and once for relaxed SIMD, into
 * a TypeScript module that holds the bytes of both as base64, when it does not fit the sources.
 *
 *   node scripts/build-wasm.mjs            build when a source, an option or the compiler's version changed
 *   node scripts/build-wasm.mjs --check    build in memory, exit status 1 when the module holds something else
 *
 * The module is checked in, although it is generated: 16 KB, the same bytes on every machine, so that a checkout can be
 * type-checked, linted and tested before anything was built, and the package needs neither a compiler nor a file to
 * find at run time. It names the fingerprint of its sources; a test compares the bytes.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./lib/project.mjs";
import {
  ASC_OPTIONS,
  moduleFingerprint,
  moduleText,
  sourceFingerprint,
  WASM_MODULE,
  WASM_SOURCES,
  WASM_VARIANTS,
} from "./lib/wasm-module.mjs";

const check = process.argv.includes("--check");
const target = join(projectRoot, WASM_MODULE);
const sources = sourceFingerprint(projectRoot);

function finish(message, status) {
  console.log(`WASM kernels: ${message}`);
  process.exit(status);
}

if (!check && moduleFingerprint(projectRoot) === sources) finish("up to date", 0);

/** The compiler is a development dependency: an installation without those has none. */
async function loadCompiler() {
  try {
    return (await import("assemblyscript/asc")).default;
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    finish("not built, assemblyscript is not installed (run npm install)", 1);
  }
}

const asc = await loadCompiler();

/** @param {string[]} options */
async function compile(options) {
  let binary;
  const { error, stderr } = await asc.main(
    [`${WASM_SOURCES}/index.ts`, ...options, "--outFile", "maxsim.wasm", "--baseDir", projectRoot],
    {
      writeFile: (name, content) => {
        if (name === "maxsim.wasm") binary = content;
      },
    },
  );
  if (error !== null || binary === undefined) {
    console.error(`${stderr.toString()}${error?.message ?? ""}`.trimEnd());
    finish("not built, the compiler's messages are above", 1);
  }
  return binary;
}

const binaries = [];
for (const { options } of WASM_VARIANTS) binaries.push(await compile([...ASC_OPTIONS, ...options]));
// The runtime at hand may be older than relaxed SIMD: that module is left to the compiler's own validation.
if (!WebAssembly.validate(binaries[0])) finish("not built, this Node.js does not take what was compiled", 1);
const text = moduleText(sources, binaries);
if (check) {
  const fits = readFileSync(target, "utf8") === text;
  finish(
    fits ? `${WASM_MODULE} fits its sources` : `${WASM_MODULE} is not what its sources give`,
    fits ? 0 : 1,
  );
}
// By renaming: whoever compiles or tests meanwhile sees the old module or the new one.
writeFileSync(`${target}.${process.pid}`, text);
renameSync(`${target}.${process.pid}`, target);
finish(`built, ${binaries.map((binary) => binary.length).join(" + ")} bytes`, 0);
