import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseCommand } from "../../../scripts/lib/bootstrap.mjs";
import { withLock } from "../../../scripts/lib/lock.mjs";
import { fingerprint, listFiles } from "../../../scripts/lib/stamp.mjs";
import { compileStep } from "../../../scripts/lib/step-compile.mjs";
import { mismatch } from "../../../scripts/lib/step-install.mjs";

const scripts = fileURLToPath(new URL("../../../scripts/", import.meta.url));

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "maxsim-bootstrap-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, content: unknown): void {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), typeof content === "string" ? content : JSON.stringify(content));
}

describe("parseCommand", () => {
  it("reads the command and its arguments", () => {
    expect(parseCommand([])).toEqual({ command: "build", args: [] });
    expect(parseCommand(["demo", "--", "--json", "--"])).toEqual({ command: "demo", args: ["--json", "--"] });
    expect(parseCommand(["bench", "--", "kernels"])).toEqual({ command: "bench", args: ["kernels"] });
  });

  it("refuses what it does not know", () => {
    expect(() => parseCommand(["destroy"])).toThrow(/unknown command "destroy"/);
    expect(() => parseCommand(["build", "x"])).toThrow(/build takes no arguments, found "x"/);
  });
});

describe("installation", () => {
  const lock = {
    packages: {
      "": { version: "1.0.0" },
      "node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
      "node_modules/@s/other-platform": { version: "2.0.0", integrity: "sha512-b", optional: true },
    },
  };
  const installed = { packages: { "node_modules/a": { version: "1.0.0", integrity: "sha512-a" } } };

  it("fits when it holds what the lock file names, but for packages of other platforms", () => {
    write("package-lock.json", lock);
    write("node_modules/.package-lock.json", installed);
    expect(mismatch(root)).toBeUndefined();
  });

  it("does not fit when it is absent, partial or old", () => {
    write("package-lock.json", lock);
    expect(mismatch(root)).toMatch(/not installed/);
    write("node_modules/.package-lock.json", { packages: {} });
    expect(mismatch(root)).toMatch(/^a is not the version/);
    const old = { version: "2.1.0", integrity: "sha512-x" };
    write("node_modules/.package-lock.json", {
      packages: { ...installed.packages, "node_modules/@s/other-platform": old },
    });
    expect(mismatch(root)).toMatch(/^@s\/other-platform is not the version/);
  });

  it("does not fit when another version of Node.js compiled it", () => {
    write("package-lock.json", lock);
    write("node_modules/.package-lock.json", installed);
    write(".cache/bootstrap/install", "modules 1 linux x64");
    expect(mismatch(root)).toMatch(/another version of Node/);
  });
});

describe("fingerprint", () => {
  it("tells names, contents and facts apart", () => {
    write("src/a.ts", "one");
    write("src/b/c.ts", "two");
    write("src/build/skipped.ts", "three");
    const files = listFiles(join(root, "src"), ["build"]);
    expect(files).toEqual(["a.ts", "b/c.ts"]);
    const of = (...facts: string[]) => fingerprint(join(root, "src"), files, facts);
    const before = of("x64");
    expect(of("x64")).toBe(before);
    expect(of("arm64")).not.toBe(before);
    write("src/a.ts", "One");
    expect(of("x64")).not.toBe(before);
    write("src/a.ts", "one");
    expect(of("x64")).toBe(before);
    rmSync(join(root, "src/a.ts"));
    expect(of("x64")).not.toBe(before);
  });
});

describe("compiling", () => {
  /** Stands in for the compiler: writes a .js file for each source, and fails on a source that says so. */
  const compiler = `
    const { mkdirSync, readdirSync, readFileSync, writeFileSync } = require("node:fs");
    mkdirSync("dist", { recursive: true });
    for (const name of readdirSync("src")) {
      const text = readFileSync("src/" + name, "utf8");
      if (text === "broken") process.exit(2);
      writeFileSync("dist/" + name.replace(/ts$/, "js"), text);
    }`;

  beforeEach(() => {
    write("tsconfig.json", {});
    write("node_modules/typescript/package.json", { version: "1.0.0" });
    write("node_modules/typescript/bin/tsc", compiler);
    write("src/a.ts", "1");
    write("src/b.ts", "2");
  });

  it("runs when a source changed, was added or lost its output, and not otherwise", () => {
    expect(compileStep.stale(root)).toBeDefined();
    compileStep.run(root);
    expect(compileStep.stale(root)).toBeUndefined();
    write("src/a.ts", "3");
    expect(compileStep.stale(root)).toBeDefined();
    compileStep.run(root);
    write("src/c.ts", "4");
    expect(compileStep.stale(root)).toBeDefined();
    compileStep.run(root);
    rmSync(join(root, "dist/b.js"));
    expect(compileStep.stale(root)).toBeDefined();
    compileStep.run(root);
    expect(compileStep.stale(root)).toBeUndefined();
    expect(readFileSync(join(root, "dist/b.js"), "utf8")).toBe("2");
  });

  it("removes outputs of sources that are gone and keeps other files", () => {
    compileStep.run(root);
    write("dist/page.css", "");
    rmSync(join(root, "src/b.ts"));
    compileStep.run(root);
    expect(["a.js", "b.js", "page.css"].map((name) => existsSync(join(root, "dist", name)))).toEqual([
      true,
      false,
      true,
    ]);
  });

  it("stays stale after a failure, also when the source is put back", () => {
    compileStep.run(root);
    write("src/a.ts", "broken");
    expect(() => compileStep.run(root)).toThrow(/does not compile/);
    write("src/a.ts", "1");
    expect(compileStep.stale(root)).toBeDefined();
  });
});

describe("withLock", () => {
  const lockUrl = pathToFileURL(join(scripts, "lib", "lock.mjs")).href;

  it("lets one process in at a time, and takes over from a dead one", async () => {
    const path = join(root, "locks", "lock");
    const dead = spawnSync(process.execPath, ["-e", ""]);
    write("locks/lock", String(dead.pid));
    // Each process reads the counter, waits and writes it back: without mutual exclusion increments are lost.
    write("counter", "0");
    const work = `
      import { readFileSync, writeFileSync } from "node:fs";
      import { withLock } from ${JSON.stringify(lockUrl)};
      const counter = ${JSON.stringify(join(root, "counter"))};
      for (let i = 0; i < 3; i++) await withLock(${JSON.stringify(path)}, 20000, async () => {
        const value = Number(readFileSync(counter, "utf8"));
        await new Promise((resolve) => setTimeout(resolve, 5));
        writeFileSync(counter, String(value + 1));
      });`;
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ["--input-type=module", "-e", work], { stdio: ["ignore", "ignore", "pipe"] }),
    );
    expect(await Promise.all(children.map(statusOf))).toEqual([0, 0, 0, 0]);
    expect(readFileSync(join(root, "counter"), "utf8")).toBe("12");
    expect(existsSync(path)).toBe(false);
  });

  it("gives up with the owner's process id", async () => {
    const path = join(root, "lock");
    // The parent of this process lives.
    writeFileSync(path, String(process.ppid));
    await expect(withLock(path, 150, async () => 1)).rejects.toThrow(`process ${process.ppid} still holds`);
    expect(existsSync(path)).toBe(true);
  });

  it("takes over a file that an earlier process of the same id left", async () => {
    const path = join(root, "lock");
    writeFileSync(path, String(process.pid));
    expect(await withLock(path, 1000, async () => 1)).toBe(1);
  });

  it("is released when the work fails", async () => {
    const path = join(root, "lock");
    const failing = withLock(path, 1000, async () => {
      throw new Error("failed");
    });
    await expect(failing).rejects.toThrow("failed");
    expect(await withLock(path, 1000, async () => 2)).toBe(2);
  });

  const statusOf = (child: ChildProcess): Promise<number | null> =>
    new Promise((resolve) => child.on("close", (status) => resolve(status)));
});
