/**
 * The process that is attacked: performs the operations of a job, a JSON file, one after the other.
 *
 *   { dist, folder, model, notes, operations, from, retry, pause }
 *
 * Prints a line when an operation is acknowledged, `COMMITTED <position> <generation>`, or failed, `FAILED <position>
 * <code> <message>`, and `DONE` at its end; with `retry` a failed operation is performed once more on the same objects, else it ends the run.
 * Unlinks <folder>.go when it is ready, <folder>.ack behind every acknowledgement and <folder>.err behind every failure, names
 * that never exist: marks for whoever watches the calls.
 */
import { readFileSync, unlinkSync, writeSync } from "node:fs";
import { Performer } from "./context.mjs";
import { loadPackage } from "./observe.mjs";

const job = JSON.parse(readFileSync(process.argv[2], "utf8"));

function mark(name) {
  try {
    unlinkSync(`${job.folder}.${name}`);
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
}

function say(line) {
  writeSync(1, `${line.replaceAll("\n", " ")}\n`);
}

async function attempt(performer, operation, position) {
  try {
    const generation = await performer.perform(operation);
    say(`COMMITTED ${position} ${generation}`);
    mark("ack");
    return true;
  } catch (error) {
    const code = error.name === "MaxsimError" ? error.code : "UNTYPED";
    mark("err");
    say(`FAILED ${position} ${code} ${error.message}${code === "UNTYPED" ? ` ${error.stack}` : ""}`);
    return false;
  }
}

const api = await loadPackage(job.dist);
const performer = new Performer(api, job);
say("READY");
mark("go");
for (let position = job.from ?? 0; position < job.operations.length; position++) {
  const operation = job.operations[position];
  let done = await attempt(performer, operation, position);
  if (!done && job.retry) done = await attempt(performer, operation, position);
  if (!done) break;
  if (job.pause > 0) await new Promise((resolve) => setTimeout(resolve, job.pause));
}
try {
  await performer.close();
} catch (error) {
  if (error.name !== "MaxsimError") throw error;
  say(`UNCLOSED ${error.code} ${error.message}`);
}
say("DONE");
