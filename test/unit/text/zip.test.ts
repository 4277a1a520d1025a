import fc from "fast-check";
import { type Zippable, zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { ZipReader } from "../../../src/text/extract/zip.js";

const zip = (files: Zippable): Buffer => Buffer.from(zipSync(files));
const text = "A heron stands in the reeds. ".repeat(40);

describe("a zip archive", () => {
  test("gives its entries, stored or deflated", () => {
    const files = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}\.xml$/), fc.uint8Array({ maxLength: 300 }), {
      maxKeys: 5,
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(files, fc.constantFrom(0, 6) as fc.Arbitrary<0 | 6>, (entries, level) => {
        const reader = new ZipReader(Buffer.from(zipSync(entries, { level })));
        expect(reader.names().sort()).toEqual(Object.keys(entries).sort());
        for (const [name, bytes] of Object.entries(entries))
          expect(new Uint8Array(reader.read(name)!)).toEqual(bytes);
      }),
      { numRuns: 50 },
    );
    const reader = new ZipReader(zip({ "a.txt": Buffer.from("x") }));
    expect([reader.has("b"), reader.read("b")]).toEqual([false, undefined]);
  });

  test("gives no more than the limit, all entries together", () => {
    const reader = new ZipReader(zip({ a: Buffer.from(text), b: Buffer.from(text) }), text.length + 10);
    expect(reader.read("a")!.toString()).toBe(text);
    expect(() => reader.read("b")).toThrow(`more than ${text.length + 10} bytes without compression`);
  });

  test("whose entry is longer than it says is refused without unpacking the rest", () => {
    const bytes = zip({ a: new Uint8Array(5_000_000) });
    const size = bytes.readUInt32LE(bytes.indexOf("PK\x01\x02") + 24);
    expect(size).toBe(5_000_000);
    bytes.writeUInt32LE(1000, bytes.indexOf("PK\x01\x02") + 24);
    expect(() => new ZipReader(bytes).read("a")).toThrow("a is longer than it says");
  });

  test("whose entry does not match its checksum is refused", () => {
    const bytes = Buffer.from(zipSync({ a: Buffer.from(text) }, { level: 0 }));
    bytes[bytes.indexOf("heron")] = 0x48;
    expect(() => new ZipReader(bytes).read("a")).toThrow("a does not match its checksum");
  });

  test("with a comment is found from its end; an encrypted entry is refused", () => {
    const bytes = zip({ a: Buffer.from(text) });
    bytes.writeUInt16LE(7, bytes.length - 2);
    const commented = Buffer.concat([bytes, Buffer.from("comment")]);
    expect(new ZipReader(commented).read("a")!.toString()).toBe(text);
    bytes.writeUInt16LE(0, bytes.length - 2);
    bytes[bytes.indexOf("PK\x01\x02") + 8]! |= 1;
    expect(() => new ZipReader(bytes).read("a")).toThrow("it is encrypted (a)");
  });
});
