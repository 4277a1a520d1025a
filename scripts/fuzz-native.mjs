#!/usr/bin/env node
/**
 * Lets libFuzzer call the addon's functions (`native-bindings/test/fuzz.cc`), argument checks included, over a stand-in
 * for Node-API, with AddressSanitizer and UndefinedBehaviorSanitizer.
 *
 *   node scripts/fuzz-native.mjs [seconds]
 *
 * 300 seconds by default. The corpus is kept in .cache/fuzz, so that a later run goes on where this one ended.
 * FUZZ_FUNCTIONS=gather,selectTop in the environment restricts it to these functions; FUZZ_PRINT=1 makes the program
 * print each call before it is made. One line of output; exit status 1 with the reproducer's path on a finding, 0 with
 * the reason where there is no clang with libFuzzer.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { projectRoot } from "./lib/project.mjs";
import { fingerprint, listFiles } from "./lib/stamp.mjs";

const COMPILERS = ["clang++", ...[19, 18, 17, 16, 15, 14].map((version) => `clang++-${version}`)];
const COMMON = [
  "-std=c++20",
  "-O2",
  "-g",
  "-ffp-contract=off",
  "-fsanitize=address,undefined",
  "-fno-sanitize-recover=all",
  "-fno-omit-frame-pointer",
  "-DNAPI_VERSION=8",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-I.",
];
/** What is fuzzed is watched for coverage; in the kernels' loops without every comparison, which costs most of the speed. */
const COVERAGE = {
  addon: ["-fsanitize=fuzzer-no-link"],
  dispatch: ["-fsanitize=fuzzer-no-link"],
  kernels: ["-fsanitize=fuzzer-no-link", "-fno-sanitize-coverage=trace-cmp"],
  test: [],
};

const folder = join(projectRoot, "native-bindings");
// Not in native-bindings/build, which is emptied whenever the addon is built.
const output = join(projectRoot, ".cache", "fuzz");
const program = join(output, "fuzz");

function finish(message, status) {
  console.log(`fuzzed addon: ${message}`);
  process.exit(status);
}

const [secondsText = "300"] = process.argv.slice(2);
const seconds = Number(secondsText);
if (!Number.isInteger(seconds) || seconds < 1) {
  console.error(`fuzz-native: seconds must be a whole number from 1, found ${secondsText}`);
  process.exit(2);
}

/** The folder with node_api.h of the running Node.js, or of one that node-gyp downloaded. */
function headerFolder() {
  const cache = process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? "", ".cache");
  return [
    join(dirname(dirname(process.execPath)), "include", "node"),
    join(cache, "node-gyp", process.versions.node, "include", "node"),
  ].find((candidate) => existsSync(join(candidate, "node_api.h")));
}

/** Runs a command to its end. @returns {Promise<{status: number | null, text: string}>} */
function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"], ...options });
    let text = "";
    const take = (chunk) => {
      text += chunk;
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    child.on("error", (error) => resolve({ status: null, text: error.message }));
    child.on("close", (status) => resolve({ status, text }));
  });
}

const compiler = (process.env.CLANG ? [process.env.CLANG] : COMPILERS).find(
  (name) => spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0,
);
if (compiler === undefined) finish("skipped: there is no clang++", 0);
const headers = headerFolder();
if (headers === undefined) finish("skipped: there are no headers of Node.js beside it or of node-gyp", 0);

mkdirSync(join(output, "objects"), { recursive: true });
mkdirSync(join(output, "corpus"), { recursive: true });
writeFileSync(
  join(output, "probe.cc"),
  'extern "C" int LLVMFuzzerTestOneInput(const char*, long) { return 0; }\n',
);
const probe = ["-fsanitize=fuzzer,address,undefined", join(output, "probe.cc"), "-o", join(output, "probe")];
if (spawnSync(compiler, probe, { stdio: "ignore" }).status !== 0) {
  finish(`skipped: ${compiler} has no libFuzzer with sanitizers`, 0);
}

const files = Object.keys(COVERAGE).flatMap((name) =>
  listFiles(join(folder, name)).map((file) => join(name, file)),
);
const sources = files.filter((file) => file.endsWith(".cc") && file !== join("test", "stress.cc"));
const headerFiles = files.filter((file) => file.endsWith(".h"));

let changed = false;

/** Compiles a source unless an object of the same source, headers and options is there; returns the object. */
async function compile(source) {
  const object = join(output, "objects", `${source.replaceAll(/[\\/]/g, "-")}.o`);
  const flags = [...COMMON, ...COVERAGE[source.split(/[\\/]/)[0]], `-isystem${headers}`];
  const stamp = fingerprint(folder, [source, ...headerFiles], [compiler, ...flags]);
  if (
    existsSync(object) &&
    existsSync(`${object}.stamp`) &&
    readFileSync(`${object}.stamp`, "utf8") === stamp
  ) {
    return object;
  }
  changed = true;
  rmSync(`${object}.stamp`, { force: true });
  const { status, text } = await run(compiler, [...flags, "-c", source, "-o", object]);
  if (status !== 0) {
    console.error(text.trimEnd());
    finish(`${source} does not compile, the compiler's messages are above`, 1);
  }
  writeFileSync(`${object}.stamp`, stamp);
  return object;
}

// The longest ones first, which the order of folders almost gives when it is turned round.
const pending = sources.toReversed();
const objects = [];
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    for (let source = pending.shift(); source !== undefined; source = pending.shift()) {
      objects.push(await compile(source));
    }
  }),
);
// A program that is up to date stays as it is: another run may be using it.
const linkStamp = join(output, "objects", "linked");
const list = objects.sort().join("\n");
if (changed) rmSync(linkStamp, { force: true });
if (!existsSync(linkStamp) || readFileSync(linkStamp, "utf8") !== list) {
  const linked = await run(compiler, ["-fsanitize=fuzzer,address,undefined", ...objects, "-o", program]);
  if (linked.status !== 0) {
    console.error(linked.text.trimEnd());
    finish("does not link, the messages are above", 1);
  }
  writeFileSync(linkStamp, list);
}

// libFuzzer begins with short inputs and a short input stands for a plain call; these stand for changed ones.
for (let i = 0; i < 256; i++) {
  const hash = (part) => createHash("sha512").update(`${i} ${part}`).digest();
  writeFileSync(join(output, "corpus", `seed-${i}`), Buffer.concat([hash(0), hash(1), hash(2)]));
}
const options = [
  `-max_total_time=${seconds}`,
  "-max_len=256",
  "-len_control=0",
  "-timeout=20",
  "-rss_limit_mb=2048",
  "-print_final_stats=1",
  `-artifact_prefix=${output}/`,
];
const fuzzed = await run(program, [...options, join(output, "corpus")], {
  env: { ...process.env, UBSAN_OPTIONS: "print_stacktrace=1" },
});
if (fuzzed.status !== 0) {
  // Without libFuzzer's lines of progress.
  console.error(fuzzed.text.replaceAll(/^#\d+\t.*\n/gm, "").trimEnd());
  const found = /Test unit written to (\S+)/.exec(fuzzed.text)?.[1];
  if (found === undefined) finish("the fuzzer itself failed, see above", 1);
  const restricted = process.env.FUZZ_FUNCTIONS ? `FUZZ_FUNCTIONS=${process.env.FUZZ_FUNCTIONS} ` : "";
  finish(`a finding, see above, again with: ${restricted}FUZZ_PRINT=1 ${program} ${found}`, 1);
}
const isas = /^INSTRUCTION SETS: (.*)$/m.exec(fuzzed.text)?.[1];
const executions = /^stat::number_of_executed_units:\s+(\d+)$/m.exec(fuzzed.text)?.[1];
const last = [...fuzzed.text.matchAll(/ cov: (\d+) ft: (\d+) corp: (\d+)/g)].at(-1);
finish(
  `${executions} calls in ${seconds} s on ${isas}, ${last?.[1]} edges covered, ${last?.[3]} inputs in the corpus`,
  0,
);
