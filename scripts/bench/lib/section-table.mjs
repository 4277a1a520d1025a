// Sections of an index's binary files, as index-data/FORMAT.md describes them: what takes how many bytes, and the
// content for a look at its statistics. Nothing is verified here.

import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";

const HEAD_BYTES = 832;
const TABLE_START = 64;
const ENTRY_BYTES = 48;

/** @param {string} folder of the index @param {"segments" | "codecs"} kind */
export function sectionFiles(folder, kind) {
  const inside = join(folder, kind);
  return readdirSync(inside)
    .filter((name) => /^[0-9a-f]{32}\./.test(name) && !name.endsWith(".tmp"))
    .sort()
    .map((name) => join(inside, name));
}

/** @param {string} path @returns {{tag: string, offset: number, bytes: number}[]} */
export function sectionsOf(path) {
  const head = readPart(path, 0, HEAD_BYTES);
  return Array.from({ length: head.readUInt32LE(56) }, (_, i) => {
    const at = TABLE_START + i * ENTRY_BYTES;
    return {
      tag: head.toString("latin1", at, at + 8).replace(/\0+$/, ""),
      offset: Number(head.readBigUInt64LE(at + 16)),
      bytes: Number(head.readBigUInt64LE(at + 24)),
    };
  });
}

/** The content of a section as a typed array. */
export function readSection(path, tag, Type) {
  const section = sectionsOf(path).find((entry) => entry.tag === tag);
  if (section === undefined) throw new Error(`${path} has no section ${tag}`);
  const bytes = readPart(path, section.offset, section.bytes);
  return new Type(bytes.buffer, 0, bytes.length / Type.BYTES_PER_ELEMENT);
}

/**
 * Bytes of an index by part. "other" of the files is headers, checksums and padding.
 *
 * @param {string} folder
 * @returns {Record<string, number>}
 */
export function bytesByPart(folder) {
  const parts = { residuals: 0, codes: 0, norms: 0, postings: 0, lengths: 0, other: 0, codec: 0, catalog: 0 };
  const partOf = {
    residual: "residuals",
    codes: "codes",
    norms: "norms",
    postings: "postings",
    postoff: "postings",
    lengths: "lengths",
    document: "lengths",
  };
  for (const path of sectionFiles(folder, "segments")) {
    let named = 0;
    for (const { tag, bytes } of sectionsOf(path)) {
      parts[partOf[tag] ?? "other"] += bytes;
      named += bytes;
    }
    parts.other += statSync(path).size - named;
  }
  for (const path of sectionFiles(folder, "codecs")) parts.codec += statSync(path).size;
  for (const name of readdirSync(folder)) {
    if (name.startsWith("catalog.sqlite")) parts.catalog += statSync(join(folder, name)).size;
  }
  return parts;
}

/**
 * Bytes a token of each part and of all ("whole"), and megabytes in all.
 *
 * @param {{bytes: Record<string, number>, tokens: number}} record
 * @returns {Record<string, number>}
 */
export function bytesATokenOf({ bytes, tokens }) {
  const parts = Object.fromEntries(Object.entries(bytes).map(([part, n]) => [part, n / tokens]));
  const whole = Object.values(parts).reduce((sum, n) => sum + n, 0);
  return { ...parts, whole, megabytes: (whole * tokens) / 1e6 };
}

function readPart(path, offset, length) {
  const bytes = Buffer.from(new ArrayBuffer(length));
  const file = openSync(path, "r");
  try {
    for (let done = 0; done < length; ) {
      // One read transfers at most 2 GiB.
      const read = readSync(file, bytes, done, Math.min(length - done, 2 ** 30), offset + done);
      if (read === 0) throw new Error(`${path} ends early`);
      done += read;
    }
  } finally {
    closeSync(file);
  }
  return bytes;
}
