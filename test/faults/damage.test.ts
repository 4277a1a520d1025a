/** Short runs of the damage rigs; `npm run test:faults` tries every length and every bit. */
import { expect, it } from "vitest";
import { run as damageBits } from "./damage/bits.mjs";
import { HELD } from "./damage/damage-run.mjs";
import { run as damageFiles } from "./damage/files.mjs";
import { run as tellLies } from "./damage/forged.mjs";

const log = (): void => undefined;

/** The share of cases below which the damage did not arrive: the rest is harmless, or lies that contradict nothing. */
const MUST_BE_REFUSED = 0.2;

it.each([
  ["a damaged file", damageFiles],
  ["a flipped bit", damageBits],
])("%s never gives a wrong answer or ends the process", { timeout: 300_000 }, async (_, run) => {
  const { counts, findings, points, wrong } = await run({ tier: "short", log });
  const others = Object.keys(counts).filter((kind) => !HELD.includes(kind));
  expect([others, wrong], findings.join("\n")).toEqual([[], 0]);
  expect(counts.refused).toBeGreaterThan(points * MUST_BE_REFUSED);
});

/** Lies that hits pass on as they are, instead of being refused: where a passage stands in its document. */
const passedOn = /documents\[\d+\]\.first_passage|passages\[\d+\]\.(start|end)/;

it("content that lies under valid checksums ends neither the process nor the types of errors", {
  timeout: 300_000,
}, async () => {
  const { bad, findings, counts, points } = await tellLies({ tier: "short", log });
  const unexpected = bad.filter(({ lie }: { lie: string }) => !passedOn.test(lie));
  expect(unexpected, findings.join("\n")).toEqual([]);
  expect(counts.refused).toBeGreaterThan(points * MUST_BE_REFUSED);
});
