#!/usr/bin/env node
/**
 * Cross-compiles the kernels for ARM64 and lets `native-bindings/test/stress.cc` compare the NEON kernels with the
 * scalar ones under qemu: on a processor without dot product instructions and on one with them.
 *
 *   node scripts/test-neon.mjs [rounds] [seed]
 *
 * One line of output; exit status 1 when results differ, 0 with the reason where the compiler or qemu is missing.
 * Nothing is installed; on Debian the packages are g++-aarch64-linux-gnu and qemu-user.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "./lib/project.mjs";
import { listFiles } from "./lib/stamp.mjs";

const COMPILER = "aarch64-linux-gnu-g++";
const EMULATORS = ["qemu-aarch64", "qemu-aarch64-static"];
/** A processor of qemu, and the instruction sets that the kernels must find on it. */
const PROCESSORS = [
  { name: "cortex-a57", expected: "neon, scalar" },
  { name: "max", expected: "neondot, neon, scalar" },
];
const FLAGS = ["-std=c++20", "-O2", "-static", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-I."];

const [rounds = "300", seed = "1"] = process.argv.slice(2);
const folder = join(projectRoot, "native-bindings");

function finish(message, status) {
  console.log(`NEON kernels: ${message}`);
  process.exit(status);
}

function runs(command) {
  return spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0;
}

if (!runs(COMPILER)) finish(`skipped: there is no ${COMPILER}`, 0);
const emulator = EMULATORS.find(runs);
if (emulator === undefined) finish(`skipped: there is no ${EMULATORS.join(" or ")}`, 0);

const output = join(folder, "build", "neon");
mkdirSync(output, { recursive: true });
const program = join(output, "stress");
const sources = ["kernels", "dispatch"].flatMap((name) =>
  listFiles(join(folder, name))
    .filter((file) => file.endsWith(".cc"))
    .map((file) => join(name, file)),
);
const build = spawnSync(COMPILER, [...FLAGS, ...sources, join("test", "stress.cc"), "-o", program], {
  cwd: folder,
  encoding: "utf8",
});
if (build.status !== 0) {
  console.error(build.stderr.trimEnd());
  finish("the build failed, the compiler's messages are above", 1);
}

const found = PROCESSORS.map(({ name, expected }) => {
  const { status, stdout, stderr } = spawnSync(emulator, ["-cpu", name, program, rounds, seed], {
    encoding: "utf8",
  });
  if (status !== 0) {
    console.error(`${stdout}${stderr}`.trimEnd());
    finish(`the results differ on ${name}, see above`, 1);
  }
  if (!stdout.trimEnd().endsWith(` agree on ${expected}`)) {
    console.error(stdout.trimEnd());
    finish(`${name} should run ${expected}, see above`, 1);
  }
  return `${expected} (${name})`;
});
finish(`${rounds} rounds from seed ${seed} agree on ${found.join(" and on ")}`, 0);
