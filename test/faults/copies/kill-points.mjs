/**
 * `kill -9` in front of every call that changes a file, while an index is backed up or restored. Afterwards a backup is
 * whole or not there; a restored folder holds the old index or the new one, or nothing, in the moment between two renames,
 * and then a restore says where the old one is. The operation is done once more, which must succeed and tidy up.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { DIM, documentOf, vectorsOf } from "../crash/documents.mjs";
import { spread } from "../crash/kill-points.mjs";
import { loadPackage, observe } from "../crash/observe.mjs";
import { faultEnvironment, interposer, readCalls } from "../lib/interpose.mjs";
import { copyDist } from "../lib/project.mjs";
import { addFinding, newResult } from "../lib/rig-result.mjs";
import { scratchFolder } from "../lib/scratch.mjs";
import { loadCopies } from "./load.mjs";

const DRIVER = fileURLToPath(new URL("./driver.mjs", import.meta.url));
const SHORT_POINTS = 2;

/** `live` is the index that a restore replaces; `source` is what `backup` was made of. */
const SCENARIOS = [
  { name: "backup to a folder", args: ["backup", "source", "copy"] },
  { name: "backup to an archive", args: ["backup", "source", "copy.tar"] },
  { name: "restore", args: ["restore", "backup.tar", "new"] },
  { name: "restore over an index", args: ["restore", "backup.tar", "live"] },
  { name: "restore a folder over an index", args: ["restore", "source", "live"] },
];

/** @param {{ tier: "short" | "long", log: (text: string) => void }} options */
export async function run({ tier, log }) {
  const result = newResult("kill backups and restores");
  const { library, reason } = interposer();
  if (reason !== undefined) {
    result.skipped.push(reason);
    return result;
  }
  const { folder: root, remove } = scratchFolder("copies");
  try {
    const dist = copyDist(root);
    const api = { ...(await loadPackage(dist)), ...(await loadCopies(dist)) };
    const base = join(root, "base");
    const states = await prepare(api, base);
    for (const { name, args } of SCENARIOS) {
      const at = join(root, "run");
      const calls = undisturbed({ at, base, dist, library, args });
      const chosen = tier === "long" ? calls : shortList(calls);
      log(`${name}: ${calls.length} calls change a file, ${chosen.length} of them are killed`);
      result.rounds++;
      for (const call of chosen) {
        fresh(base, at);
        const { signal, stdout, stderr } = drive({ at, dist, library, args, fault: { kill: call.n } });
        if (stdout.includes("DONE")) continue;
        result.points++;
        const where = `${name}, killed before call ${call.n} (${call.call} ${call.path.replace(at, "")})`;
        const problem =
          signal === "SIGKILL" ? await judge(api, at, args, states) : `ended with ${signal}: ${stderr}`;
        if (problem !== undefined) addFinding(result, "wrong", `${where}: ${problem}`, at);
      }
    }
    return result;
  } finally {
    remove();
  }
}

/** The renames and what follows them, and a few others. */
function shortList(calls) {
  const renames = calls.flatMap(({ call }, i) => (/rename|link$/.test(call) ? [i, i + 1] : []));
  const numbers = new Set(renames.slice(-4));
  for (const call of spread(calls, SHORT_POINTS + 2).slice(1, -1)) numbers.add(calls.indexOf(call));
  return calls.filter((_, i) => numbers.has(i));
}

/** Two indexes that differ, and a backup of one. */
async function prepare(api, base) {
  mkdirSync(base, { recursive: true });
  for (const [name, count] of [
    ["source", 8],
    ["live", 5],
  ]) {
    const index = await api.Index.create(join(base, name), { model: null, dim: DIM, threads: 1 });
    const documents = Array.from({ length: count }, (_, i) => documentOf(`d${i}`, 1));
    await index.addEmbeddings(documents.map((d) => ({ ...d, vectors: vectorsOf(d.id, 1) })));
    await index.delete(["d1"]);
    await index.close();
  }
  await api.backupIndex(join(base, "source"), join(base, "backup.tar"));
  return {
    backedUp: await observe(api, join(base, "source"), null),
    old: await observe(api, join(base, "live"), null),
  };
}

function fresh(base, at) {
  rmSync(at, { recursive: true, force: true });
  cpSync(base, at, { recursive: true });
}

function drive({ at, dist, library, args: [command, from, to], fault }) {
  return spawnSync(process.execPath, [DRIVER, dist, at, command, join(at, from), join(at, to)], {
    env: faultEnvironment(library, at, fault),
    encoding: "utf8",
    timeout: 120_000,
  });
}

function undisturbed({ at, base, dist, library, args }) {
  fresh(base, at);
  const log = `${at}-log`;
  const { stdout, stderr } = drive({ at, dist, library, args, fault: { log } });
  if (!stdout.includes("DONE")) throw new Error(`${args.join(" ")}, undisturbed: ${stderr}`);
  const calls = readCalls(log);
  rmSync(log);
  return calls;
}

/** What is wrong after the kill, and after doing the same once more; undefined when nothing is. */
async function judge(api, at, [command, from, to], { backedUp, old }) {
  const target = join(at, to);
  try {
    if (command === "backup") {
      if (existsSync(target)) {
        const problem = await differs(api, target, at, backedUp);
        if (problem !== undefined) return `the backup of a killed process is there, and ${problem}`;
        rmSync(target, { recursive: true });
      }
      await api.backupIndex(join(at, from), target);
      return (await differs(api, target, at, backedUp)) ?? leftovers(at, to);
    }
    const expected = to === "live" ? [old, backedUp] : [{ missing: true }, backedUp];
    const found = await observe(api, target, null);
    if (!expected.some((state) => isDeepStrictEqual(found, state))) {
      const problem = await betweenRenames(api, target, join(at, from), old);
      if (problem !== undefined) return problem;
    }
    await api.restoreIndex(join(at, from), target, { replace: true });
    const now = await observe(api, target, null);
    if (!isDeepStrictEqual(now, backedUp)) return "restoring once more gives something else";
    return leftovers(at, to);
  } catch (error) {
    return `doing it once more: ${error.message}`;
  }
}

/** The folder is missing: the old index must be beside it, whole, and a restore without leave must say so. */
async function betweenRenames(api, target, backup, old) {
  const aside = `${target}.replaced`;
  if (existsSync(target)) return "neither the old index nor the new one";
  if (!isDeepStrictEqual(await observe(api, aside, null), old)) return `the old index is lost`;
  try {
    await api.restoreIndex(backup, target);
    return "an interrupted restore went on without being told to replace";
  } catch (error) {
    const told = error.code === "INDEX_EXISTS" && error.message.includes(aside);
    return told ? undefined : `the error does not say where the old index is: ${error.message}`;
  }
}

/** How a backup differs from what it was made of. */
async function differs(api, target, at, expected) {
  const restored = join(at, "restored");
  await api.restoreIndex(target, restored);
  const found = await observe(api, restored, null);
  rmSync(restored, { recursive: true });
  return isDeepStrictEqual(found, expected) ? undefined : "it restores to something else";
}

/** Names that nobody asked for. */
function leftovers(at, to) {
  const expected = new Set(["source", "live", "backup.tar", to]);
  const more = readdirSync(at).filter((name) => !expected.has(name));
  return more.length === 0 ? undefined : `it leaves ${more.join(", ")} behind`;
}
