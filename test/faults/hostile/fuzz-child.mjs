/** Child of the fuzzer: one seed of one target at a time. */
import { join } from "node:path";
import { serveCases } from "../lib/case-server.mjs";
import { Random } from "../lib/random.mjs";
import { fuzzTargets } from "./fuzz-targets.mjs";

serveCases(async ({ scratch, fixture }) => {
  const questions = {
    ...fixture.questions,
    queries: fixture.questions.queries.map((rows) => Float32Array.from(rows)),
  };
  const targets = await fuzzTargets({
    fixture: { ...fixture, questions },
    work: join(scratch, `fuzz-${process.pid}`),
  });
  return ({ target, seed }) => targets[target](new Random(seed));
});
