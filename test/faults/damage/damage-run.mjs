/** What the damage rigs share: the indexes that are damaged, children that look at them, and the count of what they saw. */

import { availableParallelism } from "node:os";
import { join } from "node:path";
import { runCases } from "../lib/case-runner.mjs";
import { newResult } from "../lib/rig-result.mjs";
import { scratchFolder } from "../lib/scratch.mjs";
import { describeDamage } from "./damage.mjs";
import { buildFixture } from "./fixture.mjs";

/**
 * Full-text rows carry no checksums, and searches do not compute those of every row that a filter passes over: there it is
 * verify that has to notice (index-data/FORMAT.md, "Limits of the protection").
 */
const NEEDS_VERIFY = ["words, verify finds it", "filters, verify finds it"];
/** The share of cases that may. */
const MAY_NEED_VERIFY = 0.01;

/** What is no finding. */
export const HELD = ["same", "refused", "rolled back", ...NEEDS_VERIFY];
const MAX_FINDINGS = 20;
const READER = new URL("damaged-reader.mjs", import.meta.url);

/** Runs `work` with fixtures of these numbers of bits, and removes them. */
export async function withFixtures(bits, work) {
  const scratch = scratchFolder("damage");
  try {
    const fixtures = [];
    for (const nbits of bits)
      fixtures.push(await buildFixture(join(scratch.folder, String(nbits)), { nbits }));
    return await work(fixtures, scratch.folder);
  } finally {
    scratch.remove();
  }
}

/**
 * Lets children look at each case and counts the classes.
 * @returns counts by class and by file type, and findings that name the case
 */
export async function lookAt(
  fixtures,
  scratch,
  cases,
  { children = availableParallelism(), deadline, findings = [] } = {},
) {
  /** @type {Record<string, number>} */
  const counts = {};
  /** @type {Record<string, number>} */
  const codes = {};
  const note = (test, what) => {
    if (findings.length === MAX_FINDINGS) findings.push("further findings are left out");
    if (findings.length > MAX_FINDINGS) return;
    findings.push(
      `nbits ${fixtures[test.fixture].nbits}, ${test.base}/${test.file}, ${describeDamage(test.damage)}: ${what}`,
    );
  };
  const { cases: points, stopped } = await runCases({
    program: READER,
    setup: {
      scratch,
      fixtures: fixtures.map(({ questions, ...fixture }) => ({
        ...fixture,
        questions: { ...questions, queries: questions.queries.map((rows) => [...rows]) },
      })),
    },
    cases,
    children,
    ...(deadline === undefined ? {} : { deadline }),
    onOutcome(test, outcome) {
      const seen = outcome.kind === "done" ? outcome.value : { class: outcome.kind, ...outcome };
      counts[seen.class] = (counts[seen.class] ?? 0) + 1;
      if (seen.code !== undefined) codes[seen.code] = (codes[seen.code] ?? 0) + 1;
      if (!HELD.includes(seen.class)) note(test, summary(seen));
    },
  });
  return { points, stopped, counts, codes, findings };
}

function summary({ class: kind, ...rest }) {
  return `${kind} ${JSON.stringify(rest).slice(0, 600)}`;
}

/** The result of a rig from its counts. */
export function damageResult(name, { points, stopped, counts, codes, findings }, skipped = []) {
  const text = (record) =>
    Object.entries(record)
      .map(([key, count]) => `${key} ${count}`)
      .join(", ");
  const count = (...classes) => classes.reduce((sum, key) => sum + (counts[key] ?? 0), 0);
  const unnoticed = count(...NEEDS_VERIFY);
  const tooMany = unnoticed > Math.max(5, MAY_NEED_VERIFY * points);
  return {
    ...newResult(name),
    rounds: points,
    points,
    wrong: count("wrong", "verify alone") + (tooMany ? unnoticed : 0),
    unopenable: count("crash", "hang", "untyped", "unnamed", "threw"),
    findings: tooMany
      ? [...findings, `${unnoticed} of ${points} cases are noticed by verify alone`]
      : findings,
    notes: [`${text(counts)}; codes: ${text(codes)}`],
    skipped: stopped ? [...skipped, `stopped at its time limit after ${points} cases`] : skipped,
    counts,
  };
}
