#!/usr/bin/env node
/**
 * Installs what the fault rigs use beyond Node.js, where that is possible (root on a system with apt), and says what is
 * missing otherwise. Every rig runs without these programs as far as it can, and counts what it left out as skipped.
 */
import { installPrograms } from "../../scripts/lib/install-programs.mjs";

const PROGRAMS = [
  { program: "strace", package: "strace", use: "the order of system calls (c4)" },
  { program: "gcc", package: "gcc libc6-dev", use: "kills and errors at single calls (c1, e1)" },
  { program: "xfs_io", package: "xfsprogs", use: "power cuts (c3)" },
  { program: "mkfs.ext4", package: "e2fsprogs", use: "power cuts on ext4 (c3)" },
  { program: "eatmydata", package: "eatmydata", use: "a writer that syncs nothing (c4)" },
];

if (installPrograms(PROGRAMS).length === 0) console.log("everything that the fault rigs use is there");
