/**
 * Patterns that choose among the files of a folder, in the language of `.gitignore`: `*.pdf` matches at any depth, a pattern with a
 * slash before its end counts from the named folder, one with a slash at its end means folders with all that lies in them, `**`
 * stands for folders, and `!` takes back what a pattern before it matched. Case does not matter.
 */
import ignore, { type Ignore } from "ignore";
import { MaxsimError } from "../common/errors.js";

export class PathPatterns {
  private readonly included: Ignore | undefined;
  private readonly excluded: Ignore;

  /** Errors: INVALID_ARGUMENT for an empty pattern. */
  constructor(include: readonly string[], exclude: readonly string[]) {
    this.included = include.length === 0 ? undefined : rulesOf("include", include);
    this.excluded = rulesOf("exclude", exclude);
  }

  /** Whether a file is wanted. @param relativePath with forward slashes. */
  includes(relativePath: string): boolean {
    return this.included === undefined || this.included.ignores(relativePath);
  }

  excludes(relativePath: string, isFolder: boolean): boolean {
    return this.excluded.ignores(isFolder ? `${relativePath}/` : relativePath);
  }
}

function rulesOf(name: string, patterns: readonly string[]): Ignore {
  const rules = ignore();
  for (const pattern of patterns) {
    if (pattern.trim() === "") {
      throw new MaxsimError("INVALID_ARGUMENT", `${name} must be a pattern of paths, found an empty one`, {
        hint: "Patterns are those of .gitignore files, such as *.pdf or drafts/.",
      });
    }
    // A number sign begins a comment in files only.
    rules.add(pattern.startsWith("#") ? `\\${pattern}` : pattern);
  }
  return rules;
}
