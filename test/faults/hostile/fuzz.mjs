/**
 * F1, F2, A1: every reader fed with random changes of what it reads; in the long tier also the addon, by its fuzzer and with
 * sanitizers. A finding names target and seed; `MAXSIM_FAULTS_SEED` begins there.
 */
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { withFixtures } from "../damage/damage-run.mjs";
import { runCases } from "../lib/case-runner.mjs";
import { projectRoot } from "../lib/project.mjs";
import { seedOf } from "../lib/random.mjs";
import { addFinding, newResult } from "../lib/rig-result.mjs";

export const name = "fuzzed readers and addon";

const TARGETS = ["sections", "files", "catalog", "log", "archive", "journal", "corpora"];
/** Cases in the short tier, so that every run does the same. */
const SHORT_CASES = 10;
export const SHORT_POINTS = SHORT_CASES * TARGETS.length;

/** @param {{ tier: "short" | "long", log: (line: string) => void, minutes?: number }} options `minutes`: for the readers; the addon gets as long again */
export async function run({ tier, log, minutes = 5 }) {
  const result = { ...newResult(name), counts: {} };
  const seed = seedOf(tier === "short" ? 1 : Math.floor(Math.random() * 2 ** 31));
  log(`${name}: seed ${seed}`);
  await withFixtures([2], async ([{ questions, ...fixture }], scratch) => {
    const endless = (function* () {
      for (let i = 0; tier === "long" || i < SHORT_CASES; i++) {
        for (const target of TARGETS) yield { target, seed: seed + i };
      }
    })();
    await runCases({
      program: new URL("fuzz-child.mjs", import.meta.url),
      setup: {
        scratch,
        fixture: {
          ...fixture,
          questions: { ...questions, queries: questions.queries.map((rows) => [...rows]) },
        },
      },
      cases: endless,
      children: availableParallelism(),
      ...(tier === "long" ? { deadline: performance.now() + minutes * 60_000 } : {}),
      onOutcome({ target, seed: used }, outcome) {
        result.points++;
        const seen = outcome.kind === "done" ? outcome.value : outcome.kind;
        const counts = result.counts[target] ?? {};
        result.counts[target] = counts;
        counts[seen] = (counts[seen] ?? 0) + 1;
        if (outcome.kind === "done") return;
        const kind = outcome.kind === "threw" ? "wrong" : "unopenable";
        addFinding(
          result,
          kind,
          `${target}, seed ${used}: ${(outcome.error ?? JSON.stringify(outcome)).slice(0, 1000)}`,
        );
      },
    });
  });
  for (const [target, counts] of Object.entries(result.counts)) {
    result.notes.push(
      `${target}: ${Object.entries(counts)
        .map(([seen, count]) => `${seen} ${count}`)
        .join(", ")}`,
    );
  }
  if (tier === "long") {
    runScript(result, "fuzz-native.mjs", [String(Math.ceil(minutes * 60))]);
    runScript(result, "sanitize-native.mjs", []);
  }
  result.rounds = result.points;
  return result;
}

/** A script of the addon tells in one line what it did, found, or why it was skipped. */
function runScript(result, script, args) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(projectRoot, "scripts", script), ...args],
    {
      encoding: "utf8",
    },
  );
  const line = stdout.trim().split("\n").at(-1) ?? "";
  if (status !== 0) addFinding(result, "wrong", `${script}: ${line} ${stderr.slice(-1000)}`);
  else if (/skipped/.test(line)) result.skipped.push(line);
  else result.notes.push(line);
}
