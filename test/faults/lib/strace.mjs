/** Runs a program under strace and reads what changed files, in the order in which the kernel saw it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a system call is to the rigs. A `?` in front tells strace that an architecture may lack it. */
const KINDS = {
  open: ["open", "openat", "creat"],
  write: ["write", "pwrite64", "writev", "pwritev", "pwritev2", "copy_file_range", "sendfile"],
  sync: ["fsync", "fdatasync"],
  link: ["link", "linkat", "rename", "renameat", "renameat2"],
  unlink: ["unlink", "unlinkat", "rmdir"],
  truncate: ["truncate", "ftruncate"],
  mkdir: ["mkdir", "mkdirat"],
};
const KIND_OF = new Map(Object.entries(KINDS).flatMap(([kind, calls]) => calls.map((call) => [call, kind])));

let answer;

/** Why strace cannot be used here; undefined when it can. */
export function straceProblem() {
  answer ??= { reason: findProblem() };
  return answer.reason;
}

function findProblem() {
  if (process.platform !== "linux") return "strace needs Linux";
  if (spawnSync("strace", ["-V"]).status !== 0) return "there is no strace (apt-get install strace)";
  const folder = mkdtempSync(join(tmpdir(), "maxsim-strace-"));
  try {
    const { status, stderr } = spawnSync("strace", [...straceArguments(join(folder, "log")), "true"], {
      encoding: "utf8",
    });
    return status === 0 ? undefined : `strace may not trace here: ${stderr.trim().split("\n")[0]}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Arguments of strace for a program that follows; its log can be read with `readStrace`. */
export function straceArguments(log) {
  const calls = [...KIND_OF.keys()].map((call) => `?${call}`).join(",");
  return ["-f", "-qq", "-y", "-s", "0", "-o", log, "-e", `trace=${calls}`, "-e", "signal=none"];
}

/**
 * @typedef {{ phase: "begin" | "end", call: string, path: string, from: string | undefined, creates: boolean, failed: boolean }} TracedCall
 *   `path` is what changes: the new name of a link or rename, whose old one is `from`. A call that is answered at once has
 *   a begin and an end right behind each other.
 * @returns {TracedCall[]}
 */
export function readStrace(log) {
  const events = [];
  const unfinished = new Map();
  for (const line of readFileSync(log, "utf8").split("\n")) {
    const [, pid, rest] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (rest === undefined) continue;
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(rest);
    const text = resumed === null ? rest : (unfinished.get(pid) ?? `${resumed[1]}(`) + resumed[2];
    const started = / <unfinished \.\.\.>$/.exec(text);
    const begun = started === null ? text : text.slice(0, started.index);
    const event = describeCall(begun);
    if (event === undefined) continue;
    if (resumed === null) events.push({ ...event, phase: "begin" });
    if (started === null) {
      unfinished.delete(pid);
      events.push({ ...event, phase: "end", failed: / = -1 |= \?$/.test(text) });
    } else {
      unfinished.set(pid, begun);
    }
  }
  return events;
}

/** The call in a (possibly unfinished) line; undefined for calls that change nothing. */
function describeCall(text) {
  const call = /^(\w+)\(/.exec(text)?.[1];
  const kind = call === undefined ? undefined : KIND_OF.get(call);
  if (kind === undefined) return undefined;
  const names = [...text.matchAll(/"((?:[^"\\]|\\.)*)"(?!\.\.\.)/g)].map((match) => match[1]);
  const descriptors = [...text.matchAll(/[(, ]\d+<([^>]*)>/g)].map((match) => match[1]);
  const base = { call: kind, from: undefined, creates: false, failed: false };
  switch (kind) {
    case "open":
      return { ...base, path: names[0], creates: /O_CREAT|O_TRUNC|^creat/.test(text) };
    case "link":
      return { ...base, path: names[1], from: names[0], creates: true };
    case "unlink":
    case "mkdir":
      return { ...base, path: names[0], creates: kind === "mkdir" };
    case "truncate":
      return { ...base, path: call === "truncate" ? names[0] : descriptors[0] };
    default:
      return { ...base, path: call === "copy_file_range" ? descriptors.at(-1) : descriptors[0] };
  }
}
