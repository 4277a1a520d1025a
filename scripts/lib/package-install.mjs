// Packing the project and installing the tarball into a folder of its own.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Runs a program to its end; throws with its output when it fails.
 *
 * @param {string} command @param {readonly string[]} args
 * @param {{cwd: string, env?: NodeJS.ProcessEnv, expect?: number}} options
 * @returns {{stdout: string, stderr: string}}
 */
export function run(command, args, { cwd, env = process.env, expect = 0 }) {
  // npm is a script that only a shell finds on Windows.
  const shell = process.platform === "win32" && command === "npm";
  const child = spawnSync(command, args, { cwd, env, shell, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (child.error) throw child.error;
  if (child.status !== expect) {
    const outcome = child.status === null ? `was ended by ${child.signal}` : `ended with ${child.status}`;
    throw new Error(
      `${command} ${args.join(" ")} ${outcome}, expected ${expect}\n${child.stdout}${child.stderr}`,
    );
  }
  return { stdout: child.stdout, stderr: child.stderr };
}

/** @param {string} root @param {string} folder @returns {string} path of the tarball */
export function pack(root, folder) {
  // The scripts that npm runs around it print as well; the report is the JSON array at the end.
  const { stdout } = run("npm", ["pack", "--json", "--pack-destination", folder], { cwd: root });
  const [{ filename }] = JSON.parse(stdout.slice(stdout.search(/^\[/m)));
  return join(folder, filename);
}

/** @param {string} tarball @param {string} folder @returns {string} folder of the package's content */
export function unpack(tarball, folder) {
  mkdirSync(folder, { recursive: true });
  run("tar", ["-xzf", tarball, "-C", folder], { cwd: folder });
  return join(folder, "package");
}

/**
 * An application that depends on the package and on nothing else.
 *
 * @param {string} tarball @param {string} folder @param {string} root
 * @param {boolean} withNpm by `npm install`; otherwise the dependencies are links to those of the checkout
 * @returns {string} `folder`
 */
export function install(tarball, folder, root, withNpm) {
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  if (withNpm) {
    // As the README says: onnxruntime-node would download CUDA libraries, and is left out when it cannot.
    const options = ["--onnxruntime-node-install=skip", "--prefer-offline", "--no-audit", "--no-fund"];
    run("npm", ["install", tarball, ...options], { cwd: folder });
    return folder;
  }
  const unpacked = unpack(tarball, join(folder, "unpacked"));
  const target = join(folder, "node_modules", "maxsim");
  renameSync(unpacked, target);
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(target, "package.json"), "utf8"),
  );
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    if (existsSync(join(root, "node_modules", name))) link(name, folder, root);
  }
  return folder;
}

/** @param {string} name @param {string} folder @param {string} root */
export function link(name, folder, root) {
  const path = join(folder, "node_modules", name);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(join(root, "node_modules", name), path, "junction");
}
