/** The library that counts, kills and fails file calls (crash/interpose.c): compiled when it is needed, and tried out. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "./project.mjs";

const source = join(projectRoot, "test", "faults", "crash", "interpose.c");
const COMPILERS = [process.env.CC, "cc", "gcc", "clang"].filter((name) => name !== undefined);

/** Changes two names and a file below FAULT_FOLDER, so that a working library has something to count. */
const TRIAL = `const fs = require("node:fs"), folder = process.env.FAULT_FOLDER;
fs.rmSync(folder + ".go"); fs.mkdirSync(folder); fs.writeFileSync(folder + "/a", "x");`;

/** @type {{ library: string } | { reason: string } | undefined} */
let answer;

/** @returns {{ library: string } | { reason: string }} the compiled library, or why there is none. */
export function interposer() {
  answer ??= prepare();
  return answer;
}

function prepare() {
  if (process.platform !== "linux") return { reason: "LD_PRELOAD needs Linux" };
  const hash = createHash("sha256")
    .update(readFileSync(source))
    .update(process.arch)
    .digest("hex")
    .slice(0, 16);
  const output = join(projectRoot, ".cache", "faults");
  const library = join(output, `interpose-${hash}.so`);
  if (!existsSync(library)) {
    mkdirSync(output, { recursive: true });
    const own = `${library}.${process.pid}`;
    const compiler = COMPILERS.find(
      (name) => spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0,
    );
    if (compiler === undefined) return { reason: "there is no C compiler (apt-get install gcc libc6-dev)" };
    const args = ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-o", own, source, "-ldl"];
    const { status, stderr } = spawnSync(compiler, args, { encoding: "utf8" });
    if (status !== 0)
      return { reason: `${compiler} cannot compile interpose.c: ${stderr.trim().split("\n")[0]}` };
    renameSync(own, library);
  }
  return countsCalls(library)
    ? { library }
    : { reason: "this Node.js does not go through a preloaded library" };
}

function countsCalls(library) {
  const folder = mkdtempSync(join(tmpdir(), "maxsim-interpose-"));
  try {
    const env = faultEnvironment(library, join(folder, "index"), { log: join(folder, "log") });
    spawnSync(
      process.execPath,
      ["-e", `require("node:fs").writeFileSync(process.env.FAULT_FOLDER + ".go", "");${TRIAL}`],
      {
        env,
      },
    );
    if (!existsSync(join(folder, "log"))) return false;
    const found = readCalls(join(folder, "log")).map(({ call }) => call);
    return ["mkdir", "open", "write"].every((call) => found.includes(call));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * The environment of a program whose changes of `folder` are counted.
 * @param {{ log?: string, kill?: number, fail?: { call: string, at: number, errno: string, stays: boolean } }} fault
 */
export function faultEnvironment(library, folder, fault) {
  const env = { ...process.env, LD_PRELOAD: library, FAULT_FOLDER: folder };
  if (fault.log !== undefined) env.FAULT_LOG = fault.log;
  if (fault.kill !== undefined) env.FAULT_KILL = String(fault.kill);
  if (fault.fail !== undefined) {
    const { call, at, errno, stays } = fault.fail;
    env.FAULT_CALL = call;
    env.FAULT_AT = String(at);
    env.FAULT_ERRNO = String(constants.errno[errno]);
    env.FAULT_STAYS = stays ? "1" : "0";
  }
  return env;
}

/**
 * @typedef {{ n: number, phase: "begin" | "end" | "fault" | "look" | "mark", call: string, result: number, fd: number, path: string }} LoggedCall
 * @returns {LoggedCall[]} the lines of a log, in the order in which they were written.
 */
export function readLog(path) {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [n, phase, call, result, fd, ...rest] = line.split(" ");
      return { n: Number(n), phase, call, result: Number(result), fd: Number(fd), path: rest.join(" ") };
    });
}

/** The calls of a log that change something, in their order, once each. */
export function readCalls(path) {
  return readLog(path).filter(({ phase }) => phase === "begin");
}
