// The benchmark command: `npm run bench -- SUITE [options]`.

import { BootstrapError, say } from "../../lib/project.mjs";
import { optionsHelp, readOptions, usageError } from "./options.mjs";
import { SHARED_OPTIONS, SUITES } from "./suites.mjs";

const USAGE = `Usage: npm run bench -- SUITE [options]

Suites:
${SUITES.map(({ name, summary }) => `  ${name.padEnd(12)}${summary}`).join("\n")}

npm run bench -- SUITE --help shows the options of a suite. Results go to stdout as Markdown; --json FILE keeps the raw
numbers. Vectors and indexes are made once and kept below .cache/bench; without the folder that the real corpus comes
from, most suites take --data synthetic.
`;

/**
 * @param {readonly string[]} argv
 * @returns {Promise<number>} exit status
 */
export async function benchCommand(argv) {
  const [name, ...rest] = argv;
  if (name === "--help" || name === "-h" || name === "help") {
    process.stdout.write(USAGE);
    return 0;
  }
  try {
    return await runSuite(name, rest);
  } catch (error) {
    if (!(error instanceof BootstrapError)) throw error;
    say(`error: ${error.message}`);
    if (error.exitStatus === 2) process.stderr.write(usageFor(name));
    return error.exitStatus;
  }
}

/** What follows an error of the command line: the suites, or where the options of one are listed. */
function usageFor(name) {
  const known = SUITES.some((one) => one.name === name);
  return known ? `See: npm run bench -- ${name} --help\n` : `\n${USAGE}`;
}

async function runSuite(name, argv) {
  if (name === undefined) throw usageError("name a suite");
  const suite = SUITES.find((one) => one.name === name);
  if (suite === undefined) throw usageError(`there is no suite ${JSON.stringify(name)}`);
  const { options, run } = await import(`../suites/${name}.mjs`);
  const specs = { ...options, ...SHARED_OPTIONS };
  const values = readOptions(specs, argv);
  if (values.help) {
    process.stdout.write(
      `Usage: npm run bench -- ${name} [options]\n\n${suite.summary}\n\n${optionsHelp(specs)}\n`,
    );
    return 0;
  }
  const missing = await missingCorpus(values);
  if (missing !== undefined) {
    process.stdout.write(`skipped: ${missing}\n`);
    return 0;
  }
  const { machineFacts, machineLine } = await import("./machine.mjs");
  const { Report } = await import("./report.mjs");
  const facts = machineFacts();
  const report = new Report(name, { started: new Date().toISOString(), machine: facts, options: values });
  report.write(`## ${name}\n\n${machineLine(facts)}\n`);
  await run({ values, report, say });
  if (values.json !== undefined) report.saveJson(values.json);
  return 0;
}

/** Suites with an option --data need what it names. */
async function missingCorpus({ data }) {
  if (data === undefined) return undefined;
  const { missingData } = await import("./corpus.mjs");
  return missingData(data);
}
