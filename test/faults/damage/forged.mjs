/**
 * D4: files and rows that lie and whose checksums are right: absurd counts, dimensions, offsets, codes, scales, posting
 * lists and rows. No crash, no hang, no error without a type, no memory beyond what the files have; answers may be others
 * where the lie contradicts nothing.
 */
import { cpSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { runCases } from "../lib/case-runner.mjs";
import { Random, sampleOf, seedOf } from "../lib/random.mjs";
import { newResult } from "../lib/rig-result.mjs";
import { withFixtures } from "./damage-run.mjs";
import { liesFor } from "./lies.mjs";

export const name = "D4 lies with valid checksums";

const BAD = ["crash", "hang", "threw", "untyped", "malformed", "memory"];
const READER = new URL("lied-to-reader.mjs", import.meta.url);

export async function run({ tier, log }) {
  const result = {
    ...newResult(name),
    /** @type {Record<string, number>} */
    counts: {},
    /** @type {{ lie: string, class: string }[]} */
    bad: [],
    /** @type {string[]} */
    others: [],
  };
  await withFixtures(tier === "short" ? [2] : [1, 2, 4], async (fixtures, scratch) => {
    const cases = fixtures.flatMap(({ index }, fixture) => {
      const copy = join(scratch, "copy");
      cpSync(index, copy, { recursive: true });
      const names = [...liesFor(copy).keys()];
      rmSync(copy, { recursive: true });
      return names.map((lie) => ({ fixture, lie }));
    });
    const seed = seedOf(3);
    const chosen = tier === "short" ? sampleOf(cases, 100, new Random(seed)) : cases;
    log(`${name}: ${chosen.length} of ${cases.length} lies, seed ${seed}`);
    await runCases({
      program: READER,
      setup: {
        scratch,
        fixtures: fixtures.map(({ questions, ...fixture }) => ({
          ...fixture,
          questions: { ...questions, queries: questions.queries.map((rows) => [...rows]) },
        })),
      },
      cases: chosen,
      children: availableParallelism(),
      onOutcome({ fixture, lie }, outcome) {
        const seen =
          outcome.kind === "done" ? outcome.value : { class: outcome.kind, message: JSON.stringify(outcome) };
        result.counts[seen.class] = (result.counts[seen.class] ?? 0) + 1;
        result.points++;
        const told = `nbits ${fixtures[fixture].nbits}, ${lie}: ${seen.class}: ${seen.message}`;
        if (BAD.includes(seen.class)) {
          result[seen.class === "malformed" ? "wrong" : "unopenable"]++;
          result.bad.push({ lie, class: seen.class });
          if (result.findings.length < 40) result.findings.push(told.slice(0, 600));
        } else if (seen.class.startsWith("other")) {
          result.others.push(told);
        }
      },
    });
  });
  result.rounds = result.points;
  result.notes.push(
    Object.entries(result.counts)
      .map(([kind, count]) => `${kind} ${count}`)
      .join(", "),
  );
  return result;
}
