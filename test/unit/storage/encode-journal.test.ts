import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  EncodeJournal,
  JOURNAL_NAME,
  type JournalOwner,
  journalKey,
} from "../../../src/storage/encode-journal.js";
import type { FileSystem } from "../../../src/storage/file-system.js";
import { temporaryFolders } from "../../support/temp-folder.js";
import { MemoryFileSystem } from "./memory-file-system.js";

const newFolder = temporaryFolders();
const OWNER: JournalOwner = { indexId: "0123456789abcdef0123456789abcdef", fingerprint: "model one" };
const FOLDER = "index";
const PATH = join(FOLDER, JOURNAL_NAME);

type Records = ReadonlyMap<string, Uint8Array>;

const records = fc
  .uniqueArray(fc.tuple(fc.string(), fc.uint8Array({ maxLength: 200 })), { selector: ([text]) => text })
  .map((entries): Records => new Map(entries));

async function appendAll(journal: EncodeJournal, added: Records): Promise<void> {
  for (const [text, bytes] of added) {
    await journal.append(journalKey(text), [bytes.subarray(0, 3), bytes.subarray(3)]);
  }
}

async function write(fs: FileSystem, added: Records, owner = OWNER): Promise<void> {
  const journal = await EncodeJournal.open(FOLDER, owner, fs);
  await appendAll(journal, added);
  await journal.flush();
  await journal.close();
}

/** Each payload that is there must be the right one; returns how many are there, and how many of them from before. */
async function check(journal: EncodeJournal, expected: Records): Promise<{ found: number; before: number }> {
  let found = 0;
  let before = 0;
  for (const [text, bytes] of expected) {
    const entry = await journal.get(journalKey(text));
    if (entry === undefined) continue;
    expect(Buffer.from(entry.payload).equals(bytes)).toBe(true);
    found++;
    if (entry.before) before++;
  }
  return { found, before };
}

describe("the journal", () => {
  it("gives back what earlier and present runs appended, and nothing else", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(records, { maxLength: 4 }), async (runs) => {
        const fs = new MemoryFileSystem({ maxBytes: 37 });
        const all = new Map<string, Uint8Array>();
        for (const run of runs) {
          const journal = await EncodeJournal.open(FOLDER, OWNER, fs);
          const before = all.size;
          const fresh = new Map([...run].filter(([text]) => !all.has(text)));
          await appendAll(journal, fresh);
          for (const [text, bytes] of fresh) all.set(text, bytes);
          expect(await check(journal, all)).toEqual({ found: all.size, before });
          expect(await journal.get(journalKey(`${[...all.keys()].join("")}#`))).toBeUndefined();
          await journal.flush();
          await journal.close();
        }
        expect(fs.openHandles).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it("with any cut gives the right bytes or nothing, keeps all records before the cut, and goes on", async () => {
    await fc.assert(
      fc.asyncProperty(records, records, fc.nat(), async (first, second, at) => {
        const fs = new MemoryFileSystem();
        await write(fs, first);
        const whole = fs.files.get(PATH) ?? Buffer.alloc(0);
        const cut = at % (whole.length + 1);
        if (whole.length > 0) fs.files.set(PATH, whole.subarray(0, cut));
        let end = 64;
        const kept = [...first.values()].filter((bytes) => {
          end += 28 + bytes.length;
          return end <= cut;
        });
        const journal = await EncodeJournal.open(FOLDER, OWNER, fs);
        expect(await check(journal, first)).toEqual({ found: kept.length, before: kept.length });
        await appendAll(journal, second);
        await journal.flush();
        await journal.close();
        const again = await EncodeJournal.open(FOLDER, OWNER, fs);
        // A text of both runs has two payloads; either is what was appended.
        const fresh = new Map([...second].filter(([text]) => !first.has(text)));
        expect((await check(again, fresh)).found).toBe(fresh.size);
        await again.close();
      }),
      { numRuns: 100 },
    );
  });

  it("with any flipped bits gives the right bytes or nothing, and goes on", async () => {
    await fc.assert(
      fc.asyncProperty(
        records,
        fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        async (first, flips, whileOpen) => {
          const fs = new MemoryFileSystem();
          await write(fs, first);
          const file = fs.files.get(PATH);
          if (file === undefined) return;
          const flip = (): void => {
            for (const bit of flips.map((n) => n % (8 * file.length))) file[bit >> 3]! ^= 1 << (bit & 7);
          };
          if (!whileOpen) flip();
          const journal = await EncodeJournal.open(FOLDER, OWNER, fs);
          if (whileOpen) flip();
          const lost = new Map<string, Uint8Array>();
          for (const [text, bytes] of first) {
            if ((await journal.get(journalKey(text))) === undefined) lost.set(text, bytes);
          }
          await check(journal, first);
          await appendAll(journal, lost);
          expect((await check(journal, first)).found).toBe(first.size);
          await journal.close();
        },
      ),
      { numRuns: 200 },
    );
  });

  it("passes over a record with a damaged payload, and drops what follows a damaged head", async () => {
    const texts = ["a", "b", "c"].map((text) => [text, Buffer.from(`payload of ${text}`)] as const);
    const fs = new MemoryFileSystem();
    await write(fs, new Map(texts));
    const file = Buffer.from(fs.files.get(PATH)!);
    const record = 28 + texts[0]![1].length;
    const found = async (at: number): Promise<boolean[]> => {
      const damaged = Buffer.from(file);
      damaged[at]! ^= 4;
      fs.files.set(PATH, damaged);
      const journal = await EncodeJournal.open(FOLDER, OWNER, fs);
      const there = [];
      for (const [text] of texts) there.push((await journal.get(journalKey(text))) !== undefined);
      await journal.close();
      return there;
    };
    expect(await found(64 + record + 28)).toEqual([true, false, true]);
    expect(await found(64 + record + 1)).toEqual([true, false, false]);
    expect(await found(64 + record + 10)).toEqual([true, false, false]);
  });

  it.each([
    ["another index", { ...OWNER, indexId: "f".repeat(32) }],
    ["another model", { ...OWNER, fingerprint: "model two" }],
  ])("of %s is replaced", async (_, owner) => {
    const fs = new MemoryFileSystem();
    await write(fs, new Map([["a", Uint8Array.of(1)]]), owner);
    const journal = await EncodeJournal.open(FOLDER, OWNER, fs);
    expect(fs.files.has(PATH)).toBe(false);
    expect(await journal.get(journalKey("a"))).toBeUndefined();
    await journal.close();
  });

  it("makes no file before something is appended, and deletes it on remove", async () => {
    const folder = await newFolder();
    const journal = await EncodeJournal.open(folder, OWNER);
    expect(await EncodeJournal.exists(folder)).toBe(false);
    await journal.append(journalKey("a"), [Uint8Array.of(1, 2)]);
    await journal.flush();
    expect(await EncodeJournal.exists(folder)).toBe(true);
    await journal.remove();
    expect(await EncodeJournal.exists(folder)).toBe(false);
    await expect(journal.get(journalKey("a"))).rejects.toMatchObject({ code: "CLOSED" });
    await expect(journal.append(journalKey("a"), [])).rejects.toMatchObject({ code: "CLOSED" });
    await expect(journal.flush()).rejects.toMatchObject({ code: "CLOSED" });
    await (await EncodeJournal.open(folder, OWNER)).remove();
  });

  it("holds records larger than its buffers, in a file that is cut where the last whole record ends", async () => {
    const folder = await newFolder();
    const path = join(folder, JOURNAL_NAME);
    const large = Buffer.alloc(5_000_001).map((_, i) => i % 251);
    const journal = await EncodeJournal.open(folder, OWNER);
    await journal.append(journalKey("large"), [large]);
    await journal.append(journalKey("small"), [Uint8Array.of(7)]);
    await journal.flush();
    await journal.close();
    const whole = readFileSync(path);
    writeFileSync(path, Buffer.concat([whole, Buffer.alloc(100, 0xee)]));
    const again = await EncodeJournal.open(folder, OWNER);
    expect(Buffer.from((await again.get(journalKey("large")))!.payload).equals(large)).toBe(true);
    await again.append(journalKey("next"), [Uint8Array.of(8, 9)]);
    await again.flush();
    expect(statSync(path).size).toBe(whole.length + 28 + 2);
    expect([...new Uint8Array((await again.get(journalKey("small")))!.payload)]).toEqual([7]);
    await again.close();
  });

  it("fails with the error of the file system, once and for all later appends, and leaves what was written", async () => {
    const texts = new Map(["a", "b", "c", "d"].map((text) => [text, Buffer.from(text)]));
    for (let failAt = 1; ; failAt++) {
      const fs = new MemoryFileSystem({ failAt });
      let failed = false;
      try {
        await write(fs, texts);
      } catch (error) {
        expect(error).toMatchObject({ code: "DISK_FULL" });
        failed = true;
      }
      fs.faults.failAt = 0;
      const journal = await EncodeJournal.open(FOLDER, OWNER, fs);
      const { found } = await check(journal, texts);
      if (!failed) expect(found).toBe(texts.size);
      await appendAll(journal, texts);
      expect((await check(journal, texts)).found).toBe(texts.size);
      await journal.close();
      if (!failed) break;
      expect(failAt).toBeLessThan(20);
    }
    const fs = new MemoryFileSystem({ failAt: 2 });
    const journal = await EncodeJournal.open(FOLDER, OWNER, fs);
    await journal.append(journalKey("a"), [Uint8Array.of(1)]);
    await expect(journal.flush()).rejects.toMatchObject({ code: "DISK_FULL" });
    await expect(journal.get(journalKey("a"))).rejects.toMatchObject({ code: "DISK_FULL" });
    await expect(journal.flush()).rejects.toMatchObject({ code: "DISK_FULL" });
    await journal.close();
    expect(fs.openHandles).toBe(0);
  });

  it("that is a folder is an error that names it", async () => {
    const folder = await newFolder();
    mkdirSync(join(folder, JOURNAL_NAME));
    await expect(EncodeJournal.open(folder, OWNER)).rejects.toMatchObject({
      code: "IO",
      message: expect.stringContaining(JOURNAL_NAME),
    });
  });
});

it("keys tell apart texts that UTF-8 does not", () => {
  expect(journalKey("\ud800").equals(journalKey("\ufffd"))).toBe(false);
  expect(journalKey("\ud800")).toHaveLength(16);
});
