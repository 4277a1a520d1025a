/** Child of the model test: a number of random programs with a seed. */
import { join } from "node:path";
import fc from "fast-check";
import { serveCases } from "../lib/case-server.mjs";
import { capabilities, interpret } from "./interpreter.mjs";
import { program } from "./program.mjs";

serveCases(async ({ scratch }) => {
  const folder = join(scratch, `model-${process.pid}`);
  const can = await capabilities(folder);
  return async ({ seed, runs }) => {
    const done = {};
    const details = await fc.check(
      fc.asyncProperty(program(can), async (input) => {
        for (const [kind, count] of Object.entries(await interpret(folder, input)))
          done[kind] = (done[kind] ?? 0) + count;
      }),
      { seed, numRuns: runs, endOnFailure: false },
    );
    if (!details.failed) return { done };
    const { counterexample, counterexamplePath, errorInstance, numShrinks } = details;
    return {
      done,
      failure: `seed ${seed}, path ${counterexamplePath}, ${numShrinks} shrinks: ${JSON.stringify(counterexample)}: ${errorInstance}`,
    };
  };
});
