/**
 * Installs programs that tests use beyond Node.js, where that is possible: as root on a system with apt. Tests run without
 * them as far as they can, and say what they left out.
 */
import { spawnSync } from "node:child_process";

/** Whether a program is in PATH. */
export function hasProgram(program) {
  return spawnSync("sh", ["-c", 'command -v "$1"', "sh", program], { stdio: "ignore" }).status === 0;
}

/**
 * @param {{ program: string, package: string, use: string }[]} programs `package`: names of Debian packages, separated by
 *   spaces; `use`: what they are for, in a few words.
 * @param {{ seconds?: number }} [limits] what one call of apt-get may take. Default: as long as it takes.
 * @returns those that are still missing; each has been named on stdout.
 */
export function installPrograms(programs, { seconds } = {}) {
  let missing = programs.filter(({ program }) => !hasProgram(program));
  const packages = missing.flatMap((entry) => entry.package.split(" "));
  if (missing.length > 0 && process.getuid?.() === 0 && hasProgram("apt-get")) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const timeout = seconds === undefined ? undefined : seconds * 1000;
    const apt = (...args) => spawnSync("apt-get", args, { stdio: "inherit", env, timeout }).status === 0;
    if (apt("update", "-qq")) apt("install", "-y", "-qq", "--no-install-recommends", ...packages);
    missing = missing.filter(({ program }) => !hasProgram(program));
  }
  for (const { program, use } of missing) console.log(`missing: ${program}, for ${use}`);
  if (missing.length > 0) console.log(`On Debian: apt-get install ${packages.join(" ")}`);
  return missing;
}
