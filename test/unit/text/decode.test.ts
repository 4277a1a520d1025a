import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeText, isBinary } from "../../../src/text/decode.js";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

test("UTF-8 loses its byte order mark and keeps NUL", () => {
  expect(decodeText(Buffer.from("\ufeffa\0ü😀"))).toEqual({ text: "a\0ü😀", encoding: "utf-8", replaced: 0 });
});

test("invalid sequences are replaced and counted, U+FFFD of the file is not counted", () => {
  expect(decodeText(bytes(0x61, 0xff, 0x62, 0xef, 0xbf, 0xbd))).toEqual({
    text: "a\ufffdb\ufffd",
    encoding: "utf-8",
    replaced: 1,
  });
  // An overlong form, and a surrogate written as UTF-8.
  expect(decodeText(bytes(0xc0, 0xaf)).replaced).toBe(2);
  expect(decodeText(bytes(0xed, 0xa0, 0x80)).replaced).toBe(3);
});

test("UTF-16 of both byte orders", () => {
  const little = Buffer.from("\ufeffGrüße 😀", "utf16le");
  const big = Buffer.from(little).swap16();
  expect(decodeText(little)).toEqual({ text: "Grüße 😀", encoding: "utf-16le", replaced: 0 });
  expect(decodeText(big)).toEqual({ text: "Grüße 😀", encoding: "utf-16be", replaced: 0 });
  expect(isBinary(little)).toBe(false);
});

test("UTF-16 with lone surrogates and half a unit", () => {
  const text = decodeText(bytes(0xff, 0xfe, 0x00, 0xd8, 0x61, 0x00, 0x62));
  expect(text).toEqual({ text: "\ufffda\ufffd", encoding: "utf-16le", replaced: 2 });
});

test("binary files are told from text", () => {
  expect(isBinary(Buffer.from("plain\ttext\r\n\x1b[31mred"))).toBe(false);
  expect(isBinary(bytes())).toBe(false);
  expect(isBinary(Buffer.from("GIF89a\0\0"))).toBe(true);
  expect(isBinary(Buffer.from("%PDF-1.7 text"))).toBe(true);
  expect(isBinary(Buffer.from("\x01\x02abcdef"))).toBe(true);
  expect(isBinary(Buffer.from(`${"a".repeat(9000)}\0`))).toBe(false);
});

test("any bytes give well-formed text; any text comes back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (data) => {
      expect(/\p{Surrogate}/u.test(decodeText(data).text)).toBe(false);
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(decodeText(Buffer.from(`\ufeff${text}`))).toMatchObject({ text, replaced: 0 });
      expect(decodeText(Buffer.from(`\ufeff${text}`, "utf16le"))).toMatchObject({ text, replaced: 0 });
    }),
  );
});
