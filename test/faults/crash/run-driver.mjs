/** Starts driver.mjs and says how it ended. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const DRIVER = fileURLToPath(new URL("./driver.mjs", import.meta.url));
const WATCHDOG_MS = 120_000;

/**
 * @param {object} job see driver.mjs; `scratch` takes the job's file.
 * @param {{ env?: NodeJS.ProcessEnv, command?: string[], onLine?: (line: string, child: import("node:child_process").ChildProcess) => void,
 *   ownGroup?: boolean }} options `command` goes in front of Node.js.
 * @returns {Promise<{ status: number | null, signal: string | null, hung: boolean, stderr: string, lines: string[],
 *   acknowledged: { position: number, generation: number }[], failures: { position: number, code: string, message: string }[], done: boolean }>}
 */
export function runDriver(job, options = {}) {
  const file = `${job.scratch}/job.json`;
  writeFileSync(file, JSON.stringify(job));
  const [program, ...args] = [...(options.command ?? []), process.execPath, DRIVER, file];
  const child = spawn(program, args, {
    env: options.env ?? process.env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: options.ownGroup === true,
  });
  let text = "";
  let stderr = "";
  let hung = false;
  const lines = [];
  child.stdout.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      lines.push(line);
      options.onLine?.(line, child);
    }
  });
  child.stderr.setEncoding("utf8").on("data", (chunk) => {
    stderr = (stderr + chunk).slice(-4000);
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      hung = true;
      child.kill("SIGKILL");
    }, WATCHDOG_MS);
    child.on("error", reject);
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      const acknowledged = lines.flatMap((line) => {
        const match = /^COMMITTED (\d+) (\d+)$/.exec(line);
        return match === null ? [] : [{ position: Number(match[1]), generation: Number(match[2]) }];
      });
      const failures = lines.flatMap((line) => {
        const match = /^FAILED (\d+) (\S+) (.*)$/.exec(line);
        return match === null ? [] : [{ position: Number(match[1]), code: match[2], message: match[3] }];
      });
      resolve({ status, signal, hung, stderr, lines, acknowledged, failures, done: lines.at(-1) === "DONE" });
    });
  });
}
