// The checkout, messages and child processes of the scripts.

import { spawnSync } from "node:child_process";
import { constants } from "node:os";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Folder of this checkout. */
export const projectRoot = resolve(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** A failure that the user is told in one line, without a stack. */
export class BootstrapError extends Error {
  /** @param {string} message @param {number} [exitStatus] 1 = failed, 2 = wrong usage */
  constructor(message, exitStatus = 1) {
    super(message);
    this.exitStatus = exitStatus;
  }
}

/** Messages go to stderr: stdout belongs to the command that is run. @param {string} message */
export function say(message) {
  process.stderr.write(`maxsim: ${message}\n`);
}

/**
 * Runs a JavaScript file with this Node.js, terminal and all.
 *
 * @param {string} root working directory
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{stdio?: import("node:child_process").StdioOptions, env?: NodeJS.ProcessEnv}} [options]
 * @returns {number} exit status; 128 + number for a signal, as shells count
 */
export function runNode(root, file, args, options = {}) {
  return run(root, process.execPath, [file, ...args], options);
}

/**
 * @param {string} root
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{stdio?: import("node:child_process").StdioOptions, env?: NodeJS.ProcessEnv, shell?: boolean}} [options]
 * @returns {number}
 */
export function run(root, command, args, options = {}) {
  const { stdio = "inherit", env = process.env, shell = false } = options;
  const child = spawnSync(command, args, { cwd: root, stdio, env, shell });
  if (child.error) throw new BootstrapError(`cannot start ${command}: ${child.error.message}`);
  if (child.status !== null) return child.status;
  return 128 + (child.signal === null ? 0 : constants.signals[child.signal]);
}
