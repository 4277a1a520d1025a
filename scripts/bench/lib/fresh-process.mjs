// Work in a process of its own, so that its memory and its start can be measured.

import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { largest, MemorySampler, processMemory } from "./process-memory.mjs";

/**
 * @typedef {object} Phase
 * @property {string} name
 * @property {import("./process-memory.mjs").ProcessMemory | undefined} memory the largest of each number within the
 *   phase; undefined where the system does not tell
 */

/**
 * Runs a script of this folder with `task` in a new process. What the script reports as phases is measured apart.
 *
 * @param {string} script file name
 * @param {unknown} task structured-cloneable
 * @param {{env?: Record<string, string>}} [options]
 * @returns {Promise<{result: any, phases: Phase[]}>}
 */
export function inFreshProcess(script, task, options = {}) {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), {
    serialization: "advanced",
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const sampler = new MemorySampler(child.pid);
  const phases = [];
  let answer;
  child.on("message", (message) => {
    if (message.phase === undefined) {
      answer = message;
      return;
    }
    sampler.look();
    phases.push({ name: message.phase, memory: largest(sampler.largest, message.memory) });
    sampler.reset();
  });
  child.send(task);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => {
      sampler.stop();
      if (answer?.error !== undefined) reject(new Error(`${script}: ${answer.error}`));
      else if (status !== 0) reject(new Error(`${script} ended with ${signal ?? `status ${status}`}`));
      else resolve({ result: answer.result, phases });
    });
  });
}

/**
 * The other side: runs `work` with the task. `endPhase(name)` ends a phase, which began with the one before.
 *
 * @param {(task: any, endPhase: (name: string) => void) => Promise<unknown>} work
 */
export function serveTask(work) {
  const endPhase = (phase) => process.send({ phase, memory: processMemory() });
  process.once("message", async (task) => {
    try {
      process.send({ result: await work(task, endPhase) });
    } catch (error) {
      process.exitCode = 1;
      process.send({ error: error.stack ?? String(error) });
    }
    process.disconnect();
  });
}
