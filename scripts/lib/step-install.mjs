// Installs the dependencies when node_modules does not hold what the lock file names.

import { existsSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { BootstrapError, run, runNode } from "./project.mjs";
import { readStamp, removeStamp, writeStamp } from "./stamp.mjs";

const STAMP = "install";
/** Addons that are compiled at install fit one version of Node's module interface. */
const abi = `modules ${process.versions.modules} ${process.platform} ${process.arch}`;

export const installStep = {
  /** @param {string} root @returns {string | undefined} what will be done, or undefined when nothing is to do */
  stale(root) {
    const reason = mismatch(root);
    if (reason === undefined) return undefined;
    return `installing the dependencies with npm (${reason}; a few minutes the first time)`;
  },

  /** @param {string} root */
  run(root) {
    if (staleAddons(root)) rmSync(join(root, "node_modules"), { recursive: true, force: true });
    removeStamp(root, STAMP);
    // `npm ci` refuses a lock file that lacks optional packages of other platforms, which npm itself leaves out when
    // a registry does not have them. `install --no-save` takes the locked versions as well and writes no lock file.
    // Development tools are needed to build, also where NODE_ENV says production.
    const status = npm(root, [
      "install",
      "--no-save",
      "--include=dev",
      "--no-audit",
      "--no-fund",
      "--no-update-notifier",
      "--loglevel=error",
    ]);
    if (status !== 0)
      throw new BootstrapError("npm could not install the dependencies (its output is above)");
    const left = mismatch(root);
    if (left !== undefined) throw new BootstrapError(`npm installed the dependencies, but ${left}`);
    writeStamp(root, STAMP, abi);
  },
};

/** Whether another version of Node.js compiled the addons. @param {string} root */
function staleAddons(root) {
  const stamp = readStamp(root, STAMP);
  return stamp !== undefined && stamp !== abi;
}

/**
 * Why node_modules does not fit, or undefined. npm writes node_modules/.package-lock.json when an installation is
 * complete, so comparing it with the lock file tells an old, partial or production-only installation.
 *
 * @param {string} root
 * @returns {string | undefined}
 */
export function mismatch(root) {
  const installedPath = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installedPath)) return "they are not installed";
  if (staleAddons(root)) return "they were installed by another version of Node.js";
  const lockPath = join(root, "package-lock.json");
  if (!existsSync(lockPath)) return undefined;
  const installed = JSON.parse(readFileSync(installedPath, "utf8")).packages;
  for (const [path, wanted] of Object.entries(JSON.parse(readFileSync(lockPath, "utf8")).packages)) {
    if (path === "" || wanted.link) continue;
    const found = installed[path];
    // npm leaves out optional packages of other platforms.
    if (found === undefined && (wanted.optional || wanted.devOptional)) continue;
    if (found?.version !== wanted.version || found?.integrity !== wanted.integrity) {
      return `${path.replace(/^.*node_modules\//, "")} is not the version that package-lock.json names`;
    }
  }
  return undefined;
}

/** @param {string} root @param {readonly string[]} args @returns {number} exit status */
function npm(root, args) {
  // stdout belongs to the command that follows: npm's summary goes to stderr.
  const stdio = /** @type {const} */ (["ignore", 2, "inherit"]);
  const beside = dirname(process.execPath);
  const env = withHeaders(join(beside, ".."));
  const candidates = [
    process.env.npm_execpath ?? "",
    join(beside, "..", "lib", "node_modules", "npm", "bin", "npm-cli.js"),
    join(beside, "node_modules", "npm", "bin", "npm-cli.js"),
  ];
  const script = candidates.find((path) => basename(path) === "npm-cli.js" && existsSync(path));
  if (script !== undefined) return runNode(root, script, args, { stdio: [...stdio], env });
  return run(root, "npm", args, { stdio: [...stdio], env, shell: process.platform === "win32" });
}

/**
 * Addons are compiled against the headers that came with this Node.js, where it has them, instead of downloaded ones.
 *
 * @param {string} prefix folder that Node.js is installed under
 * @returns {NodeJS.ProcessEnv}
 */
function withHeaders(prefix) {
  const complete = existsSync(join(prefix, "include", "node", "node_api.h"));
  return complete ? { npm_config_nodedir: prefix, ...process.env } : process.env;
}
