/** `.gitignore` files of a folder and the folders above it, up to the root of the walk. */
import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import ignore, { type Ignore } from "ignore";
import { ioError, systemCode } from "../common/errors.js";

/** The rules that hold in one folder. */
export class IgnoreRules {
  private constructor(
    private readonly parent: IgnoreRules | undefined,
    /** Path of the folder relative to the root, with a slash at the end, or "". */
    private readonly prefix: string,
    private readonly rules: Ignore | undefined,
  ) {}

  /** Reads the `.gitignore` of `folder`; without one, or when it is no regular file, nothing is added. Errors: IO. */
  static async load(folder: string, prefix: string, parent?: IgnoreRules): Promise<IgnoreRules> {
    const path = join(folder, ".gitignore");
    let text: string;
    try {
      if (!(await lstat(path)).isFile()) return new IgnoreRules(parent, prefix, undefined);
      text = await readFile(path, "utf8");
    } catch (error) {
      if (systemCode(error) === "ENOENT") return new IgnoreRules(parent, prefix, undefined);
      throw ioError("read", path, error);
    }
    return new IgnoreRules(parent, prefix, ignore().add(text));
  }

  /** The innermost file that says something about a path decides, as in git. */
  ignores(relativePath: string, isFolder: boolean): boolean {
    const path = isFolder ? `${relativePath}/` : relativePath;
    for (let level: IgnoreRules | undefined = this; level !== undefined; level = level.parent) {
      const verdict = level.rules?.test(path.slice(level.prefix.length));
      if (verdict?.ignored === true) return true;
      if (verdict?.unignored === true) return false;
    }
    return false;
  }
}
