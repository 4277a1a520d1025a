import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { hasOpenEnd, LineLog } from "../../../src/storage/line-log.js";
import { temporaryFolders } from "../../support/temp-folder.js";

const newFolder = temporaryFolders();
const whole = { head: "head", isWhole: (line: string) => line.endsWith(".") };

it("begins with its head, grows line by line, and takes back its own lines only", async () => {
  const path = join(await newFolder(), "log");
  const first = LineLog.open(path, whole);
  first.append("one.");
  first.close();
  const log = LineLog.open(path, whole);
  expect(log.removeLast()).toBe(false);
  log.append("two.");
  log.append("drei ✓.");
  expect(log.removeLast()).toBe(true);
  log.append("three.");
  expect(readFileSync(path, "utf8")).toBe("head\none.\ntwo.\nthree.\n");
  expect([log.removeLast(), log.removeLast(), log.removeLast()]).toEqual([true, true, false]);
  log.close();
  expect(readFileSync(path, "utf8")).toBe("head\none.\n");
});

it.each([
  ["head\none.\ntw", "head\none.\n"],
  ["head\none.\ntwo.", "head\none.\ntwo.\n"],
  ["he", "head\n"],
  ["", "head\n"],
  ["head\n", "head\n"],
])("mends what a crash left of the last line: %j", async (before, after) => {
  const path = join(await newFolder(), "log");
  writeFileSync(path, before);
  expect(hasOpenEnd(path)).toBe(before !== "" && !before.endsWith("\n"));
  LineLog.open(path, whole).close();
  expect(readFileSync(path, "utf8")).toBe(after);
});

it("keeps all whole lines of any file that is cut anywhere", async () => {
  const folder = await newFolder();
  const line = fc.string({ unit: "grapheme", maxLength: 10 }).map((text) => `${text.replace(/[\n.]/g, "")}.`);
  fc.assert(
    fc.property(fc.array(line, { maxLength: 4 }), fc.nat(60), (lines, cut) => {
      const path = join(folder, "log");
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(""));
      writeFileSync(path, bytes.subarray(0, cut));
      const log = LineLog.open(path, { isWhole: whole.isWhole });
      log.append("last.");
      log.close();
      // A line is there as soon as all of it but its end is.
      const kept = lines.filter((_, i) => {
        const text = lines.slice(0, i + 1).join("\n");
        return Buffer.byteLength(text) <= cut;
      });
      expect(readFileSync(path, "utf8")).toBe([...kept, "last."].map((text) => `${text}\n`).join(""));
    }),
    { numRuns: 60 },
  );
});

it("names a path that is no file, and a folder that is not there", async () => {
  const folder = await newFolder();
  mkdirSync(join(folder, "sub"));
  expect(() => LineLog.open(join(folder, "sub"), whole)).toThrow(/cannot open .*sub/);
  expect(() => LineLog.open(join(folder, "no", "log"), whole)).toThrow(/cannot open .*log/);
  expect(hasOpenEnd(join(folder, "none"))).toBe(false);
});
