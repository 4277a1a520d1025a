/**
 * C8: readers see whole generations. One writer commits generations whose answers are known, while readers in two processes
 * and in a worker thread of each search, refresh and open again at random. Every answer must be, to the last score, the
 * known one of the generation that it states, and a reader's generations never go back.
 */
import { fork } from "node:child_process";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { copyDist } from "../lib/project.mjs";
import { seedOf } from "../lib/random.mjs";
import { addFinding, newResult } from "../lib/rig-result.mjs";
import { scratchFolder } from "../lib/scratch.mjs";
import { ObserverProcess } from "./observer-process.mjs";
import { runDriver } from "./run-driver.mjs";
import { newPlace } from "./scenarios.mjs";
import { availableOperations, randomScript, undisturbed } from "./script.mjs";

const READERS = 2;
/** The writer waits this long between two operations, so that readers meet many different moments. */
const PAUSE_MS = { short: 40, long: 60 };
const OPERATIONS = { short: 50, long: 400 };
const MINUTES = { short: 8 / 60, long: 10 };
/** A session takes this long and makes this many generations at least, also on a machine that has other things to do. */
const MIN_SESSION_MS = 5000;
const MIN_GENERATIONS = 12;
/** The state that every session starts from: a created index with documents. */
const BASE = 2;

/** @param {{ tier: "short" | "long", log: (text: string) => void, minutes?: number }} options */
export async function run({ tier, log, minutes = MINUTES[tier] }) {
  const result = newResult("snapshots");
  const seed = seedOf(1);
  log(`seed ${seed}`);
  const { folder: root, remove } = scratchFolder("c8");
  const dist = copyDist(root);
  const observer = new ObserverProcess(dist);
  const total = { answers: 0, generations: 0, opened: 0 };
  try {
    const available = await availableOperations(observer);
    const deadline = performance.now() + minutes * 60_000;
    for (let session = 0; session === 0 || performance.now() < deadline; session++) {
      const operations = randomScript(seed + session, OPERATIONS[tier], available);
      const states = await undisturbed(newPlace(join(root, "undisturbed"), null), operations, observer);
      await runSession(
        { root, dist, operations, states, observer, deadline, tier, seed: seed + session },
        total,
        result,
      );
      result.rounds++;
    }
    result.points = total.answers;
    result.notes.push(
      `${total.answers} answers of ${total.generations} generations by ${2 * READERS} readers, which opened ${total.opened} times`,
    );
    return result;
  } finally {
    observer.end();
    remove();
  }
}

async function runSession({ root, dist, operations, states, observer, deadline, tier, seed }, total, result) {
  const place = newPlace(join(root, "shared"), null);
  await observer.perform(place, operations.slice(0, BASE));
  const base = (await observer.observe(place)).generation;
  const readers = Array.from({ length: READERS }, (_, i) =>
    startReader({ place, dist, seed: `${seed}-${i}` }),
  );
  const failures = [];
  const answers = [];
  for (const { child } of readers) {
    child.on("message", (message) => {
      if (message.kind === "failure") failures.push(message.what);
      if (message.kind !== "answers") return;
      total.opened += message.opened;
      answers.push(...message.answers);
    });
  }
  await Promise.all(readers.map(({ ready }) => ready));
  const job = { ...place, dist, operations, from: BASE, pause: PAUSE_MS[tier] };
  const end = Math.max(deadline, performance.now() + MIN_SESSION_MS);
  let lines = 0;
  const onLine = (_, child) => {
    if (++lines > MIN_GENERATIONS && performance.now() > end) child.kill("SIGTERM");
  };
  const run = await runDriver(job, { onLine });
  await Promise.all(readers.map((reader) => reader.stop()));
  for (const { ended } of readers) {
    const { code, signal, stderr } = await ended;
    if (code !== 0) {
      const how = `a reader ended with ${signal ?? code}: ${stderr}`;
      addFinding(result, "wrong", `seed ${seed}: ${how}`, place.scratch);
    }
  }
  for (const what of failures) {
    addFinding(result, "wrong", `seed ${seed}: a reader failed: ${what}`, place.scratch);
  }
  if (run.failures.length > 0 || run.hung || !(run.done || run.signal === "SIGTERM")) {
    const said = `${run.lines.slice(-3).join(" | ")} ${run.stderr}`;
    addFinding(result, "wrong", `seed ${seed}: the writer said ${said}`, place.scratch);
  }
  const timeline = [{ position: BASE - 1, generation: base }, ...run.acknowledged];
  total.answers += answers.length;
  for (const what of wrongAnswers(answers, timeline, states, total)) {
    addFinding(result, "wrong", `seed ${seed}: ${what}`, place.scratch);
  }
}

/**
 * Compares answers with the known states. Operation i ends with an acknowledged generation; those between it and the one that
 * was acknowledged before show the state in front of the operation or behind it (a write may be followed, or preceded, by
 * merges that change nothing), and one generation always the same.
 */
function wrongAnswers(answers, timeline, states, total) {
  const wrong = [];
  const seen = new Map();
  /** Generation to the state that it showed. */
  const shown = new Map();
  for (const { reader, generation, query, hits } of answers) {
    const last = seen.get(reader) ?? 0;
    if (generation < last) wrong.push(`${reader} saw generation ${last}, then ${generation}`);
    seen.set(reader, generation);
    // The operation that was running, or the one that was acknowledged as this generation.
    const next = timeline.find((entry) => entry.generation >= generation);
    const position = next?.position ?? timeline.at(-1).position + 1;
    const candidates = next?.generation === generation ? [position + 1] : [position, position + 1];
    const fits = candidates.filter((state) => isDeepStrictEqual(states[state]?.answers.exact[query], hits));
    if (fits.length === 0) wrong.push(`${reader} got an answer that generation ${generation} does not have`);
    const before = shown.get(generation) ?? candidates;
    const both = before.filter((state) => fits.includes(state));
    if (fits.length > 0 && both.length === 0)
      wrong.push(`${reader} got two states from generation ${generation}`);
    shown.set(generation, both);
  }
  total.generations += shown.size;
  return wrong;
}

function startReader(setup) {
  const child = fork(new URL("./reader.mjs", import.meta.url), {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr = (stderr + text).slice(-4000);
  });
  const ended = new Promise((resolve) =>
    child.once("close", (code, signal) => resolve({ code, signal, stderr })),
  );
  const ready = new Promise((resolve) => {
    child.on("message", ({ kind }) => {
      if (kind === "ready") resolve();
    });
    void ended.then(resolve);
  });
  child.send(setup);
  return {
    child,
    ready,
    ended,
    async stop() {
      if (child.connected) child.send("stop");
      const timer = setTimeout(() => child.kill("SIGKILL"), 30_000);
      await ended;
      clearTimeout(timer);
    },
  };
}
