/** File systems on a loop device whose power can be cut: a shutdown without a flush of the journal, then a new mount. */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const FILE_SYSTEMS = {
  ext4: { size: "64M", make: ["mkfs.ext4", "-q", "-F"], package: "e2fsprogs" },
  // The smallest size that mkfs.xfs takes.
  xfs: { size: "300M", make: ["mkfs.xfs", "-q", "-f"], package: "xfsprogs" },
};

export const FILE_SYSTEM_NAMES = Object.keys(FILE_SYSTEMS);

function tryCommand(command, ...args) {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  return status === 0 ? undefined : `${command}: ${error?.message ?? stderr.trim().split("\n")[0]}`;
}

export class PowerDisk {
  #mounted = false;
  #unmountAtExit = () => this.unmount();

  constructor(kind, root) {
    this.kind = kind;
    this.image = join(root, `${kind}.img`);
    /** Where it is mounted. */
    this.folder = join(root, `${kind}-disk`);
  }

  /** Why a disk of this kind cannot be had here; undefined after it was made and mounted. */
  prepare() {
    const { size, make } = FILE_SYSTEMS[this.kind];
    if (process.platform !== "linux") return "loop devices need Linux";
    if (process.getuid() !== 0) return "mounting a loop device needs root";
    if (tryCommand("xfs_io", "-V") !== undefined) return "there is no xfs_io (apt-get install xfsprogs)";
    const [program, ...options] = make;
    rmSync(this.image, { force: true });
    const problem =
      tryCommand("truncate", "-s", size, this.image) ?? tryCommand(program, ...options, this.image);
    if (problem !== undefined) return problem;
    mkdirSync(this.folder, { recursive: true });
    // In front of what removes the folder around it when the run is interrupted.
    process.prependOnceListener("exit", this.#unmountAtExit);
    return this.mount();
  }

  /** An error message, or undefined. */
  mount() {
    const problem = tryCommand("mount", "-o", "loop", this.image, this.folder);
    this.#mounted = problem === undefined;
    return problem;
  }

  /** Everything that was not synced is gone, and every call from now on fails. */
  cutPower() {
    const problem = tryCommand("xfs_io", "-x", "-c", "shutdown", this.folder);
    if (problem !== undefined) throw new Error(problem);
  }

  unmount() {
    if (!this.#mounted) return;
    const problem = tryCommand("umount", this.folder);
    if (problem !== undefined) throw new Error(problem);
    this.#mounted = false;
  }

  remove() {
    process.off("exit", this.#unmountAtExit);
    this.unmount();
    rmSync(this.image, { force: true });
  }
}
