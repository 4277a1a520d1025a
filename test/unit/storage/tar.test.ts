import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodeFileSystem } from "../../../src/storage/node-file-system.js";
import { type ByteSink, writeNewFile } from "../../../src/storage/stream-file.js";
import { TarReader, TarWriter } from "../../../src/storage/tar-file.js";
import {
  decodeTarHeader,
  encodeTarHeader,
  TAR_BLOCK,
  tarEntryBytes,
} from "../../../src/storage/tar-format.js";
import { nameOrReason } from "../../support/cli.js";
import { tempFolder } from "../../support/temp-folder.js";

const root = tempFolder();

type Entry = readonly [name: string, content: Uint8Array];

async function pack(entries: readonly Entry[]): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const sink: ByteSink = async (bytes) => {
    pieces.push(Buffer.from(bytes));
  };
  const tar = new TarWriter(sink);
  for (const [name, content] of entries) {
    await tar.entry({ name, size: content.length }, (to) => to(content));
  }
  await tar.end();
  return Buffer.concat(pieces);
}

async function unpack(bytes: Uint8Array): Promise<Entry[]> {
  const path = join(mkdtempSync(join(root, "read-")), "a.tar");
  writeFileSync(path, bytes);
  const file = await nodeFileSystem.openForReading(path);
  try {
    const reader = new TarReader(file);
    const entries: Entry[] = [];
    for (let header = await reader.next(); header !== undefined; header = await reader.next()) {
      const pieces: Buffer[] = [];
      await reader.content(
        header,
        async (piece) => {
          pieces.push(Buffer.from(piece));
        },
        { what: "reading" },
      );
      entries.push([header.name, Buffer.concat(pieces)]);
    }
    return entries;
  } finally {
    await file.close();
  }
}

const someFiles = fc.array(
  fc.tuple(fc.stringMatching(/^[a-z0-9._/-]{1,100}$/), fc.uint8Array({ maxLength: 1500 })),
  { maxLength: 4 },
);

const problem = spawnSync("tar", ["--version"]).error === undefined ? undefined : "there is no tar command";

describe("tar archives", () => {
  it("give back what was put in", async () => {
    await fc.assert(
      fc.asyncProperty(someFiles, async (entries) => {
        const found = await unpack(await pack(entries));
        expect(found).toEqual(entries.map(([name, content]) => [name, Buffer.from(content)]));
      }),
      { numRuns: 50 },
    );
  });

  it.skipIf(problem !== undefined)(nameOrReason("are unpacked by tar", problem), async () => {
    const folder = mkdtempSync(join(root, "system-"));
    const content = Buffer.from("x".repeat(1000));
    await writeNewFile(join(folder, "a.tar"), async (sink) => sink(await pack([["segments/a", content]])));
    execFileSync("tar", ["xf", "a.tar"], { cwd: folder });
    expect(readFileSync(join(folder, "segments/a"))).toEqual(content);
  });

  it("state sizes up to 2^53 - 1", () => {
    const sizes = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(2 ** 33 - 1, 2 ** 33, 2 ** 53 - 1));
    fc.assert(
      fc.property(sizes, (size) => {
        expect(decodeTarHeader("a.tar", 0, encodeTarHeader({ name: "a", size }))).toEqual({
          name: "a",
          size,
        });
      }),
    );
  });

  it("are refused when one bit of a header is another, when cut short, and when something follows", async () => {
    const bytes = await pack([["catalog.sqlite", Buffer.alloc(700, 1)]]);
    for (let bit = 0; bit < 8 * TAR_BLOCK; bit += 7) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      await expect(unpack(damaged), `bit ${bit}`).rejects.toMatchObject({ code: "CORRUPT" });
    }
    for (let length = 0; length < bytes.length; length += 111) {
      await expect(unpack(bytes.subarray(0, length)), `${length} bytes`).rejects.toMatchObject({
        code: "CORRUPT",
        message: expect.stringContaining("a.tar"),
      });
    }
    const padding = tarEntryBytes(700) - 1;
    for (const at of [padding, bytes.length - 1, bytes.length - TAR_BLOCK]) {
      const damaged = Buffer.from(bytes);
      damaged[at] = 1;
      await expect(unpack(damaged), `byte ${at}`).rejects.toMatchObject({ code: "CORRUPT" });
    }
    await expect(unpack(Buffer.concat([bytes, Buffer.alloc(512)]))).rejects.toMatchObject({
      code: "CORRUPT",
    });
  });

  it.each([
    ["1", "a hard link"],
    ["2", "a symbolic link"],
    ["5", "a folder"],
    ["6", "a FIFO"],
    ["x", "an extended header"],
    ["Z", '"Z"'],
  ])("hold regular files only: an entry of type %s is refused by name", async (type, what) => {
    const bytes = await pack([["segments/evil", Buffer.alloc(0)]]);
    setHeader(bytes, 156, type);
    await expect(unpack(bytes)).rejects.toMatchObject({
      code: "CORRUPT",
      message: expect.stringMatching(new RegExp(`${what}.*"segments/evil"`)),
    });
  });

  it("that state a huge size are refused before anything is read", async () => {
    const bytes = await pack([["catalog.sqlite", Buffer.alloc(0)]]);
    bytes.set(encodeTarHeader({ name: "catalog.sqlite", size: 2 ** 52 }), 0);
    await expect(unpack(bytes)).rejects.toMatchObject({
      code: "CORRUPT",
      message: expect.stringContaining('4503599627370496 bytes of "catalog.sqlite"'),
    });
  });
});

/** Writes into the first header and makes its checksum right again. */
function setHeader(bytes: Buffer, at: number, text: string): void {
  bytes.write(text, at, "latin1");
  bytes.fill(" ", 148, 156);
  const sum = bytes.subarray(0, TAR_BLOCK).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
}
