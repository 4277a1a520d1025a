// What scripts/bootstrap.mjs does once the version of Node.js is known to be new enough.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "./lock.mjs";
import { BootstrapError, projectRoot, runNode, say } from "./project.mjs";
import { compileStep } from "./step-compile.mjs";
import { installStep } from "./step-install.mjs";
import { nativeStep } from "./step-native.mjs";
import { wasmStep } from "./step-wasm.mjs";

/** How long to wait for another process that is making the checkout ready; a first install takes minutes. */
const LOCK_TIMEOUT_MS = 20 * 60_000;

/**
 * Runs the command line of scripts/bootstrap.mjs.
 *
 * @param {readonly string[]} argv arguments after the script's name
 * @param {string} [root] folder of the checkout
 * @returns {Promise<number>} exit status
 */
export async function bootstrap(argv, root = projectRoot) {
  try {
    const { command, args } = parseCommand(argv);
    const build = [installStep, nativeStep, wasmStep, compileStep];
    await makeReady(root, command === "install" ? [installStep] : build);
    if (command === "demo") return runNode(root, scriptPath(root, "demo"), args);
    if (command === "bench") return runNode(root, scriptPath(root, "bench/main"), args);
    return 0;
  } catch (error) {
    if (!(error instanceof BootstrapError)) throw error;
    say(`error: ${error.message}`);
    return error.exitStatus;
  }
}

/** @param {readonly string[]} argv */
export function parseCommand(argv) {
  const [command = "build", ...rest] = argv;
  if (!["build", "install", "demo", "bench"].includes(command)) {
    throw new BootstrapError(
      `unknown command ${JSON.stringify(command)}, expected build, install, demo or bench`,
      2,
    );
  }
  const args = rest[0] === "--" ? rest.slice(1) : rest;
  if (args.length > 0 && (command === "build" || command === "install")) {
    throw new BootstrapError(`${command} takes no arguments, found ${JSON.stringify(args[0])}`, 2);
  }
  return { command, args };
}

/**
 * Runs the stale steps in order. Nothing is locked or started when every step is fresh; staleness is looked at
 * again under the lock, because whoever held it may have done the work.
 *
 * @param {string} root
 * @param {ReadonlyArray<{stale(root: string): string | undefined, run(root: string): void}>} steps
 */
async function makeReady(root, steps) {
  if (steps.every((step) => step.stale(root) === undefined)) return;
  await withLock(join(root, ".cache", "bootstrap", "lock"), LOCK_TIMEOUT_MS, async () => {
    for (const step of steps) {
      const reason = step.stale(root);
      if (reason === undefined) continue;
      say(reason);
      step.run(root);
    }
  });
}

/** @param {string} root @param {string} name */
function scriptPath(root, name) {
  const path = join(root, "scripts", `${name}.mjs`);
  if (!existsSync(path)) throw new BootstrapError(`scripts/${name}.mjs does not exist in this checkout`);
  return path;
}
