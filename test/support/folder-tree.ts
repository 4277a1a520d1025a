/** What lies in a folder, for comparisons before and after. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** SHA-256 of each file by its path below `folder`, sorted; folders as `name/`. */
export function folderTree(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return Object.fromEntries(
    paths.map((path) => {
      const full = join(folder, path);
      if (statSync(full).isDirectory()) return [`${path}/`, ""];
      return [path, createHash("sha256").update(readFileSync(full)).digest("hex")];
    }),
  );
}
