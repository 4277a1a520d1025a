import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isMaxsimError } from "../../../src/common/errors.js";
import { nodeFileSystem } from "../../../src/storage/node-file-system.js";
import type { SectionFile } from "../../../src/storage/section-file.js";
import { attachSectionFile, readSectionFile } from "../../../src/storage/section-reader.js";
import type { FileSummary } from "../../../src/storage/section-writer.js";
import { addonPath, mapper as mapperIfAny } from "../../support/mapper.js";
import { tempFolder } from "../../support/temp-folder.js";
import { INDEX_ID, type TestSection, writeSections } from "./sections.js";

const EXPECTED = { type: "segment", indexId: INDEX_ID } as const;
const BLOCK = 65536;
const folder = tempFolder();
const mapper = mapperIfAny!;

/** "one" ends in block 2, where "two" begins; "two" ends in block 5. */
const SECTIONS: readonly TestSection[] = [
  { tag: "one", elementSize: 1, parts: [Uint8Array.from({ length: 140_000 }, (_, i) => i * 7)] },
  { tag: "two", elementSize: 4, parts: [Uint8Array.from({ length: 200_000 }, (_, i) => i * 11)] },
];

async function write(sections = SECTIONS): Promise<FileSummary & { path: string }> {
  const summary = await writeSections(folder, sections, nodeFileSystem);
  return { ...summary, path: join(folder, summary.name) };
}

let copies = 0;
/** A file of its own with changed bytes. */
function copyOf(path: string, change: (bytes: Buffer) => void): string {
  const bytes = readFileSync(path);
  change(bytes);
  const copy = join(folder, `copy-${copies++}`);
  writeFileSync(copy, bytes);
  return copy;
}

const flip = (at: number) => (bytes: Buffer) => {
  bytes[at < 0 ? bytes.length + at : at]! ^= 4;
};

/** Maps a file and verifies no more than its head and tables. */
const openLarge = (path: string): Promise<SectionFile> =>
  readSectionFile(path, EXPECTED, { mapper, verifyWhole: 0 });

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    if (!isMaxsimError(error)) throw error;
    return error.code;
  }
};

const descriptors = (): number => readdirSync("/proc/self/fd").length;
const hasProc = process.platform === "linux";

async function collect(): Promise<void> {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  for (let i = 0; i < 5; i++) {
    gc();
    await turn();
  }
}

const reason = mapperIfAny === undefined ? "no addon that maps files is built" : undefined;

describe.skipIf(reason)(`mapped files${reason === undefined ? "" : ` (${reason})`}`, () => {
  test("give the same bytes as files that are read", async () => {
    const section = fc.record({
      tag: fc.stringMatching(/^[a-z0-9]{1,8}$/),
      elementSize: fc.constant(1 as const),
      parts: fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 3 }),
    });
    const sections = fc.uniqueArray(section, { selector: ({ tag }) => tag, maxLength: 16 });
    await fc.assert(
      fc.asyncProperty(sections, fc.boolean(), async (drawn, large) => {
        const { path, fileId, length } = await write(drawn);
        const read = await readSectionFile(path, { ...EXPECTED, fileId, length });
        const mapped = await readSectionFile(
          path,
          { ...EXPECTED, fileId, length },
          large ? { mapper, verifyWhole: 0 } : { mapper },
        );
        expect(mapped.verifiedWhole).toBe(!large);
        expect(mapped.buffer).toBeInstanceOf(ArrayBuffer);
        expect(mapped.tags).toEqual(read.tags);
        for (const { tag } of drawn) {
          mapped.ensure(tag);
          expect(Buffer.from(mapped.u8(tag)).equals(Buffer.from(read.u8(tag)))).toBe(true);
        }
        mapped.close();
      }),
      { numRuns: 30 },
    );
  });

  test("what cannot be mapped is refused, by the reader and by the mapper", async () => {
    mkdirSync(join(folder, "folder"));
    writeFileSync(join(folder, "empty"), "");
    execFileSync("mkfifo", [join(folder, "fifo")]);
    const { path, length } = await write();
    const before = hasProc ? descriptors() : 0;
    for (const [name, code] of [
      ["folder", "IO"],
      ["none", "PATH_NOT_FOUND"],
      ["fifo", "IO"],
      ["empty", "CORRUPT"],
    ] as const) {
      for (const expected of [EXPECTED, { ...EXPECTED, length }]) {
        await expect(readSectionFile(join(folder, name), expected, { mapper })).rejects.toMatchObject({
          code,
          message: expect.stringContaining(join(folder, name)),
        });
      }
      expect(() => mapper.map(join(folder, name), 100)).toThrowError(
        expect.objectContaining({ code: "IO", message: expect.stringContaining(join(folder, name)) }),
      );
    }
    await expect(
      readSectionFile(path, { ...EXPECTED, length: length + 1 }, { mapper }),
    ).rejects.toMatchObject({ code: "CORRUPT", message: expect.stringContaining(`${length + 1} bytes`) });
    expect(() => mapper.map(path, length + 1)).toThrow(`it has ${length} bytes, expected ${length + 1}`);
    expect(() => mapper.map(path, 0)).toThrow(/length must be an integer from 1/);
    expect(() => mapper.map(`${path}\0x`, length)).toThrow(/NUL/);
    expect(() => mapper.map("x".repeat(5000), 1)).toThrow(/ENAMETOOLONG/);
    expect(() => mapper.attach(path, 2 ** 40)).toThrowError(expect.objectContaining({ code: "CLOSED" }));
    if (hasProc) expect(descriptors()).toBe(before);
  });

  test("damage of head and tables is found at open, in small files all damage", async () => {
    const { path } = await write();
    const places = [0, 70, 850, BLOCK - 1, -1, -20, -33];
    for (const at of places) {
      await expect(openLarge(copyOf(path, flip(at)))).rejects.toMatchObject({ code: "CORRUPT" });
    }
    for (const at of [...places, BLOCK, 3 * BLOCK + 5]) {
      const damaged = copyOf(path, flip(at));
      await expect(readSectionFile(damaged, EXPECTED, { mapper })).rejects.toMatchObject({ code: "CORRUPT" });
    }
  });

  test("other damage of a large file is found on first touch and not before", async () => {
    const { path } = await write();
    const damaged = copyOf(path, flip(3 * BLOCK + 5));
    const file = await openLarge(damaged);
    expect(file.verifiedWhole).toBe(false);
    file.ensure("one");
    expect(file.guard("one").complete).toBe(true);
    const { offset } = file.section("two", 4);
    file.ensure("two", 0, 3 * BLOCK - offset);
    file.ensure("two", 4 * BLOCK - offset);
    file.ensure("two", 5, 5);
    for (let time = 0; time < 2; time++) {
      expect(() => file.ensure("two", 3 * BLOCK - offset - 1, 3 * BLOCK - offset + 1)).toThrowError(
        expect.objectContaining({
          code: "CORRUPT",
          message: expect.stringMatching(
            new RegExp(`${damaged} is damaged at byte ${3 * BLOCK}: expected .*CRC \\d+, found \\d+`),
          ),
        }),
      );
    }
    expect(() => file.ensureAll()).toThrow(/damaged/);
    expect(file.guard("two").complete).toBe(false);
    expect(codeOf(() => file.ensure("none"))).toBe("CORRUPT");
    file.close();
  });

  test("a block is verified once, by whichever thread comes first", async () => {
    const { path } = await write();
    const own = copyOf(path, () => {});
    const file = await openLarge(own);
    const other = attachSectionFile(structuredClone(file.describe()), mapper);
    other.ensureAll();
    expect(file.guard("one").complete).toBe(true);
    expect(file.guard("two").complete).toBe(true);
    // Later damage is not looked for again.
    writeFileSync(own, Buffer.alloc(1, 255), { flag: "r+" });
    file.ensureAll();
    file.close();
    expect(other.u8("one")[1]).toBe(7);
    other.close();
  });

  test("a file that was cut short is refused before it is read", async () => {
    const { path, length } = await write();
    const own = copyOf(path, () => {});
    const file = await openLarge(own);
    file.checkMapped();
    for (const wrong of [length - 1, 1000, 0, length + 1]) {
      truncateSync(own, wrong);
      expect(() => file.checkMapped()).toThrowError(
        expect.objectContaining({ code: "CORRUPT", message: expect.stringContaining(`${wrong} bytes`) }),
      );
    }
    file.close();
  });

  test("closing empties every view, and later calls say so", async () => {
    const { path } = await write();
    const file = await openLarge(path);
    const view = file.u8("one");
    const description = file.describe();
    expect(view[1]).toBe(7);
    file.close();
    file.close();
    expect([view.length, view[1], file.length]).toEqual([0, undefined, 0]);
    expect(codeOf(() => file.ensure("two"))).toBe("CLOSED");
    expect(codeOf(() => file.checkMapped())).toBe("CLOSED");
    expect(codeOf(() => attachSectionFile(description, mapper))).toBe("CLOSED");
    expect(codeOf(() => attachSectionFile(description, undefined))).toBe("INTERNAL");
  });

  test("a file that was unlinked stays, and another thread can still attach it", async () => {
    const { path } = await write();
    const own = copyOf(path, () => {});
    const file = await openLarge(own);
    execFileSync("rm", [own]);
    file.checkMapped();
    const other = attachSectionFile(file.describe(), mapper);
    other.ensureAll();
    other.close();
    file.ensureAll();
    file.close();
  });

  test("a file that was read is attached by its memory", async () => {
    const { path } = await write();
    const file = await readSectionFile(path, EXPECTED);
    const other = attachSectionFile(structuredClone(file.describe()), undefined);
    expect(other.buffer).toBeInstanceOf(SharedArrayBuffer);
    other.ensureAll();
    other.checkMapped();
    other.close();
    expect(other.u8("one")[1]).toBe(7);
  });

  test.skipIf(!hasProc)("threads attach a mapping and outlive the one that made it", async () => {
    const { path } = await write();
    const file = await openLarge(path);
    const expected = file.u8("one").reduce((sum, byte) => sum + byte, 0);
    const { offset, byteLength } = file.section("one", 1);
    const before = descriptors();
    const id = file.describe().memory;
    const code = `
      const { parentPort, workerData: { addonPath, id, offset, byteLength } } = require("node:worker_threads");
      const addon = require(addonPath);
      const buffer = addon.attachMapping(id)[1];
      parentPort.once("message", () => {
        const bytes = new Uint8Array(buffer, offset, byteLength);
        parentPort.postMessage(bytes.reduce((sum, byte) => sum + byte, 0));
        parentPort.close();
      });
      parentPort.postMessage("attached");
    `;
    const workers = Array.from(
      { length: 3 },
      () => new Worker(code, { eval: true, workerData: { addonPath, id, offset, byteLength } }),
    );
    await Promise.all(workers.map((worker) => once(worker, "message")));
    file.close();
    const exits = workers.map((worker) => once(worker, "exit"));
    const sums = workers.map((worker) => once(worker, "message"));
    for (const worker of workers) worker.postMessage("go");
    expect(await Promise.all(sums)).toEqual([[expected], [expected], [expected]]);
    await Promise.all(exits);
    expect(codeOf(() => mapper.attach(path, Number(id)))).toBe("CLOSED");
    expect(descriptors()).toBeLessThanOrEqual(before);
  });

  test.skipIf(!hasProc)(
    "descriptors come back after closing, and after dropping without closing",
    async () => {
      const { path } = await write();
      const before = descriptors();
      for (let i = 0; i < 200; i++) {
        const file = await openLarge(path);
        file.ensure("one", 0, 10);
        file.close();
      }
      expect(descriptors()).toBe(before);
      for (let i = 0; i < 20; i++) await openLarge(path);
      await collect();
      expect(descriptors()).toBe(before);
    },
  );

  test("posting the buffer copies it, and transferring it does not take it away", async () => {
    const { path } = await write();
    const file = await openLarge(path);
    const { buffer } = file;
    expect(structuredClone(buffer).byteLength).toBe(file.length);
    try {
      structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
    } catch (error) {
      expect(String(error)).toMatch(/DataCloneError|transfer/i);
    }
    expect(file.length).toBe(buffer.byteLength);
    expect(file.u8("one")[1]).toBe(7);
    file.close();
  });
});
