/** What a file is, and when its time can be trusted. */
import { createHash } from "node:crypto";
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pathExists, readFileState, settlingTime } from "../../../src/datasets/file-state.js";
import { tempFolder } from "../../support/temp-folder.js";

const root = tempFolder();

describe("the state of a file", () => {
  it("is its size, its time in whole milliseconds, and the hash of its bytes", async () => {
    const path = join(root, "big.bin");
    const bytes = Buffer.alloc(3_000_001, "0123456789");
    writeFileSync(path, bytes);
    utimesSync(path, 1_700_000_000, 1_700_000_000.25);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    expect(await readFileState(path)).toEqual({ size: 3_000_001, modified: 1_700_000_000_250, sha256 });
    await expect(readFileState(path, AbortSignal.abort())).rejects.toMatchObject({ code: "ABORTED" });
    await expect(readFileState(join(root, "none"))).rejects.toMatchObject({
      code: "IO",
      message: expect.stringContaining(join(root, "none")),
    });
  });

  it("is read once a later change must get another time", () => {
    expect(settlingTime(1_000_000_000_123, 1_000_000_000_123)).toBe(50);
    expect(settlingTime(1_000_000_000_123, 1_000_000_000_170.5)).toBe(3);
    expect(settlingTime(1_000_000_000_123, 1_000_000_000_173)).toBe(0);
    // A clock of whole seconds, or of two.
    expect(settlingTime(1_000_000_000_000, 1_000_000_000_400)).toBe(1_600);
    expect(settlingTime(1_000_000_000_000, 1_000_000_002_000)).toBe(0);
    // A time that lies ahead does not hold anybody up.
    expect(settlingTime(1_000_000_009_123, 1_000_000_000_000)).toBe(0);
  });

  it("cannot stay the same when a file is written right after it was read", async () => {
    const path = join(root, "busy.txt");
    for (let i = 0; i < 5; i++) {
      writeFileSync(path, `a${i}`);
      const state = await readFileState(path);
      writeFileSync(path, `b${i}`);
      const after = await readFileState(path);
      expect(after.modified).toBeGreaterThan(state.modified);
    }
  });
});

it("a path exists when it is a file, a folder or a link that leads nowhere", async () => {
  symlinkSync("nowhere", join(root, "link"));
  mkdirSync(join(root, "folder"));
  writeFileSync(join(root, "file"), "");
  for (const name of ["link", "folder", "file"]) expect(await pathExists(join(root, name))).toBe(true);
  for (const name of ["none", "file/below"]) expect(await pathExists(join(root, name))).toBe(false);
});
