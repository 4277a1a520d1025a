#!/usr/bin/env node
/**
 * Installs what the fault rigs use beyond Node.js, where that is possible (root on a system with apt), and says what is
 * missing otherwise. Every rig runs without these programs as far as it can, and counts what it left out as skipped.
 */
import { spawnSync } from "node:child_process";

const PROGRAMS = [
  { program: "strace", package: "strace", use: "the order of system calls (c4)" },
  { program: "gcc", package: "gcc libc6-dev", use: "kills and errors at single calls (c1, e1)" },
  { program: "xfs_io", package: "xfsprogs", use: "power cuts (c3)" },
  { program: "mkfs.ext4", package: "e2fsprogs", use: "power cuts on ext4 (c3)" },
  { program: "eatmydata", package: "eatmydata", use: "a writer that syncs nothing (c4)" },
];

const runs = (command, ...args) => spawnSync(command, args, { stdio: "inherit" }).status === 0;
const has = (program) =>
  spawnSync("sh", ["-c", 'command -v "$1"', "sh", program], { stdio: "ignore" }).status === 0;

let missing = PROGRAMS.filter(({ program }) => !has(program));
const packages = missing.flatMap((entry) => entry.package.split(" "));
if (missing.length > 0 && process.getuid?.() === 0 && has("apt-get")) {
  process.env.DEBIAN_FRONTEND = "noninteractive";
  if (runs("apt-get", "update", "-qq"))
    runs("apt-get", "install", "-y", "-qq", "--no-install-recommends", ...packages);
  missing = missing.filter(({ program }) => !has(program));
}
for (const { program, use } of missing) console.log(`missing: ${program}, for ${use}`);
if (missing.length > 0) console.log(`On Debian: apt-get install ${packages.join(" ")}`);
else console.log("everything that the fault rigs use is there");
