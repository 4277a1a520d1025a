// Speed of the kernels: every instruction set of the addon, WASM and plain JavaScript, in interleaved rounds.

import { kernelCases } from "../lib/kernel-cases.mjs";
import { entrants, measureKernels } from "../lib/kernel-contestants.mjs";
import { usageError } from "../lib/options.mjs";
import { medianOf } from "../lib/report.mjs";

export const options = {
  passages: {
    type: "integer",
    default: 200_000,
    min: 100,
    describe: "passages of the cold set, 1 GB at the default",
  },
  scored: { type: "integer", default: 4096, describe: "random passages scored by a cold call" },
  rounds: { type: "integer", default: 15, describe: "rounds of 20 ms or one call each" },
  "query-tokens": { type: "integers", default: [16, 32], describe: "lengths of the query" },
  only: { type: "strings", default: [""], describe: "cases whose names contain one of these" },
  isas: { type: "strings", describe: "instruction sets to measure (default: all that run here)" },
  quick: { type: "flag", default: false, describe: "20,000 passages, 1,024 scored, 5 rounds" },
};

const QUICK = { passages: 20_000, scored: 1024, rounds: 5 };

export async function run({ values, report, say }) {
  const { passages, scored, rounds } = values.quick ? QUICK : values;
  const all = entrants(say);
  const unknown = values.isas?.find((isa) => !all.some(({ name }) => name === isa));
  if (unknown !== undefined) {
    throw usageError(
      `--isas takes ${all.map(({ name }) => name).join(", ")} here; found ${JSON.stringify(unknown)}`,
    );
  }
  const compared = all.filter(({ name }) => values.isas?.includes(name) ?? true);
  const rows = [];
  for (const { name, unit, units, call } of kernelCases({
    passages,
    scored,
    queryTokens: values["query-tokens"],
  })) {
    if (!values.only.some((part) => name.includes(part))) continue;
    const measured = measureKernels(compared, call, units, rounds);
    rows.push({
      name,
      unit,
      ...Object.fromEntries(compared.map((entrant, i) => [entrant.name, measured[i]])),
    });
    say(
      `${name}: ${compared.map((entrant, i) => `${entrant.name} ${measured[i].median.toFixed(2)}`).join("  ")}`,
    );
  }
  report.table(
    `Nanoseconds of processor time a unit, dimension 128, median of ${rounds} interleaved rounds; cold: ${scored} random ones of ${passages} passages of 70 tokens`,
    [
      { key: "name", title: "kernel", left: true },
      { key: "unit", title: "unit", left: true },
      ...compared.map(({ name }) => ({ key: name, title: name, format: medianOf(2) })),
    ],
    rows,
  );
}
