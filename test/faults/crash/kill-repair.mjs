/**
 * C1 for repairs: an index is damaged, its repair is killed in front of every call that changes a file, and repaired once
 * more. That must give, to the last score, what an undisturbed repair gives. Between the two the index may be damaged, but
 * it must not give wrong answers.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { faultEnvironment, interposer, readCalls } from "../lib/interpose.mjs";
import { copyDist } from "../lib/project.mjs";
import { addFinding, newResult } from "../lib/rig-result.mjs";
import { scratchFolder } from "../lib/scratch.mjs";
import { writeTinyModel } from "../lib/tiny-model.mjs";
import { contradiction, difference, sameContent } from "./judge.mjs";
import { leftovers, spread } from "./kill-points.mjs";
import { ObserverProcess } from "./observer-process.mjs";
import { runDriver } from "./run-driver.mjs";
import { copyPlace, newPlace } from "./scenarios.mjs";

const Database = createRequire(import.meta.url)("better-sqlite3");
const SHORT_POINTS = 3;

const ids = (first, count) => Array.from({ length: count }, (_, i) => `d${first + i}`);
const BASE = [
  { op: "create" },
  { op: "add", ids: ids(0, 8), version: 1 },
  { op: "add", ids: ["d3", "d8", "d9"], version: 2 },
  { op: "delete", ids: ["d1"] },
];

/** The first segment of the index, the one of most documents. */
function segmentOf(folder) {
  const db = new Database(join(folder, "catalog.sqlite"), { readonly: true });
  const name = db
    .prepare("SELECT name FROM segments WHERE gen_dropped IS NULL ORDER BY segment_no")
    .pluck()
    .get();
  db.close();
  return join(folder, name);
}

function flipByte(path, offset) {
  const bytes = readFileSync(path);
  bytes[offset] ^= 1;
  writeFileSync(path, bytes);
}

function damageText(folder, id) {
  const db = new Database(join(folder, "catalog.sqlite"));
  db.prepare(
    "UPDATE texts SET text = 'x' WHERE document_no = (SELECT document_no FROM documents WHERE id = ?)",
  ).run(id);
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.close();
}

const DROP = { dropDamaged: true };
const FIRST_SEGMENT = ids(0, 8).filter((id) => id !== "d1" && id !== "d3");

const SCENARIOS = [
  {
    name: "checksums of a segment",
    damage: (folder) => flipByte(segmentOf(folder), readFileSync(segmentOf(folder)).length - 20),
    operation: { op: "repair" },
  },
  {
    name: "a segment of texts",
    text: true,
    damage: (folder) => rmSync(segmentOf(folder)),
    operation: { op: "repair" },
  },
  {
    name: "a codec of texts",
    text: true,
    damage(folder) {
      for (const name of readdirSync(join(folder, "codecs"))) flipByte(join(folder, "codecs", name), 900);
    },
    operation: { op: "repair", options: { rebuild: true } },
  },
  {
    name: "a row and a segment",
    damage(folder) {
      damageText(folder, "d9");
      flipByte(segmentOf(folder), 840);
    },
    operation: { op: "repair", ids: [...FIRST_SEGMENT, "d9"], options: DROP },
  },
];

/** @param {{ tier: "short" | "long", log: (text: string) => void }} options */
export async function run({ tier, log }) {
  const result = newResult("kill a repair at every call");
  const { library, reason } = interposer();
  if (reason !== undefined) {
    result.skipped.push(reason);
    return result;
  }
  const { folder: root, remove } = scratchFolder("repair");
  const dist = copyDist(root);
  const observer = new ObserverProcess(dist);
  try {
    const model = join(root, "model");
    mkdirSync(model, { recursive: true });
    await writeTinyModel(model);
    for (const scenario of SCENARIOS) {
      const { name, text = false, damage, operation } = scenario;
      const place = newPlace(join(root, "base"), text ? model : null);
      await observer.perform(place, BASE);
      const before = await observer.observe(place);
      observer.end();
      damage(place.folder);
      const healthy = copyPlace(place, join(root, "healthy"));
      await observer.perform(healthy, [operation]);
      const after = await observer.observe(healthy);
      const problem = contradiction(after, [...BASE, operation]);
      if (problem !== undefined) throw new Error(`${name}, undisturbed: ${problem}`);
      const calls = await enumerate({ place, dist, operation, library }, join(root, "dry-run"));
      const chosen = tier === "short" ? spread(calls, SHORT_POINTS) : calls;
      log(`${name}: ${calls.length} calls change a file, ${chosen.length} of them are killed`);
      result.rounds++;
      const known = { before, after, operations: [...BASE, operation] };
      for (const call of chosen) {
        await killAt(
          { name, place, dist, operation, library, call },
          known,
          observer,
          join(root, "lane"),
          result,
        );
      }
    }
    return result;
  } finally {
    observer.end();
    remove();
  }
}

async function enumerate({ place: base, dist, operation, library }, to) {
  const place = copyPlace(base, to);
  const log = `${to}.log`;
  const run = await runDriver(
    { ...place, dist, operations: [operation] },
    { env: faultEnvironment(library, place.folder, { log }) },
  );
  if (!run.done) throw new Error(`undisturbed: ${run.lines.join(" | ")} ${run.stderr}`);
  const calls = readCalls(log);
  rmSync(log);
  return calls;
}

async function killAt({ name, place: base, dist, operation, library, call }, known, observer, to, result) {
  const place = copyPlace(base, to);
  const env = faultEnvironment(library, place.folder, { kill: call.n });
  const run = await runDriver({ ...place, dist, operations: [operation] }, { env });
  if (run.done) return;
  result.points++;
  const where = `${name}, killed before call ${call.n} (${call.call} ${call.path.split("/dry-run/").at(-1)})`;
  const complain = (kind, what) => addFinding(result, kind, `${where}: ${what}`, place.scratch);
  if (run.hung || run.signal !== "SIGKILL") {
    complain("wrong", `the repair ended otherwise: ${run.lines.join(" | ")} ${run.stderr}`);
    return;
  }
  const wrong = await wrongAnswer(observer, place, known);
  if (wrong !== undefined) complain("wrong", wrong);
  try {
    await observer.perform(place, [operation]);
    const observation = await observer.observe(place);
    const problem = contradiction(observation, known.operations);
    if (problem !== undefined) complain("wrong", `repaired again: ${problem}`);
    else if (!sameContent(observation, known.after)) {
      complain("wrong", `repaired again: ${difference(observation, known.after)}`);
    }
    const strays = await leftovers(place, { observer, writer: observer });
    if (strays.length > 0) complain("wrong", `files that nothing names stay: ${strays.join(", ")}`);
  } catch (error) {
    complain("unopenable", `repaired again: ${error.message}`);
  }
}

/** What a reader may see meanwhile: an error, damage that its checks name, or a state from before or behind the repair. */
async function wrongAnswer(observer, place, { before, after }) {
  let observation;
  try {
    observation = await observer.observe(place);
  } catch (error) {
    // A typed error names the damaged file.
    return error.message.includes(place.folder) ? undefined : `a reader fails: ${error.message}`;
  }
  const { problems } = observation;
  if (problems.length > 0 || sameContent(observation, before) || sameContent(observation, after))
    return undefined;
  return `a reader sees neither the state before the damage nor the one behind the repair: ${difference(observation, before)}`;
}
