import { readdirSync } from "node:fs";
import fc from "fast-check";
import { expect, it } from "vitest";
import { SpillFile } from "../../../src/storage/spill-file.js";
import { tempFolder } from "../../support/temp-folder.js";

const folder = tempFolder();

it("gives back every record in any order, at the same time, and leaves no file", async () => {
  const record = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 30 }), async (records) => {
      const spill = await SpillFile.create(folder);
      for (const [n, parts] of records.entries()) expect(await spill.append(...parts)).toBe(n);
      await spill.finish();
      const found = await Promise.all(records.map((_, n) => spill.read(n)).reverse());
      expect(found.reverse().map((bytes) => [...new Uint8Array(bytes)])).toEqual(
        records.map((parts) => parts.flatMap((part) => [...part])),
      );
      await spill.remove();
    }),
    { numRuns: 30 },
  );
  expect(readdirSync(folder)).toEqual([]);
});

it("holds records larger than its buffer", async () => {
  const spill = await SpillFile.create(folder);
  const large = new Uint8Array(3_000_001).map((_, i) => i % 251);
  await spill.append(Uint8Array.of(1), large);
  await spill.append(Uint8Array.of(2));
  await spill.finish();
  expect([...new Uint8Array(await spill.read(1))]).toEqual([2]);
  expect(Buffer.from(await spill.read(0)).equals(Buffer.from([1, ...large]))).toBe(true);
  await spill.remove();
});

it("refuses reads before finish and beyond the end", async () => {
  const spill = await SpillFile.create(folder);
  await spill.append(Uint8Array.of(1));
  await expect(spill.read(0)).rejects.toMatchObject({ code: "INTERNAL" });
  await spill.finish();
  await expect(spill.read(1)).rejects.toMatchObject({ code: "INTERNAL" });
  await spill.remove();
});
