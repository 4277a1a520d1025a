/** Ways to damage one file; each is plain data, so that it can be reported and repeated. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { BLOCK_BYTES, layoutOf } from "./section-image.mjs";

/**
 * @typedef {{ kind: "truncate", length: number } | { kind: "fill", from: number, to: number, value: number } |
 *   { kind: "flip", bit: number } | { kind: "append", bytes: number } | { kind: "delete" | "folder" | "fifo" } |
 *   { kind: "replace", by: string } | { kind: "symlink", to: string }} Damage
 * `bit` counts from the lowest bit of the first byte; `by` is an absolute path; `to` too, or "itself" for a link that leads back
 * to itself and "copy" for one to a sound copy.
 */

/** @param {string} path of a file @param {Damage} damage */
export function applyDamage(path, damage) {
  switch (damage.kind) {
    case "truncate":
      return writeFileSync(path, readFileSync(path).subarray(0, damage.length));
    case "fill":
      return writeFileSync(path, readFileSync(path).fill(damage.value, damage.from, damage.to));
    case "flip": {
      const bytes = readFileSync(path);
      bytes[damage.bit >> 3] ^= 1 << (damage.bit & 7);
      return writeFileSync(path, bytes);
    }
    case "append":
      return writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(damage.bytes, 0xa5)]));
    case "delete":
      return rmSync(path);
    case "folder":
      rmSync(path);
      return mkdirSync(path);
    case "fifo":
      rmSync(path);
      execFileSync("mkfifo", [path]);
      return undefined;
    case "replace":
      rmSync(path);
      return cpSync(damage.by, path);
    case "symlink": {
      const copy = `${path}.copy`;
      if (damage.to === "copy") cpSync(path, copy);
      rmSync(path);
      return symlinkSync(damage.to === "copy" ? copy : damage.to === "itself" ? path : damage.to, path);
    }
    default:
      throw new Error(`unknown damage ${JSON.stringify(damage)}`);
  }
}

const STEP = 4096;

/** Offsets of a file at which something begins or ends. */
export function structuresOf(path) {
  const { size } = statSync(path);
  if (/\.(segment|codec)$/.test(path)) return layoutOf(readFileSync(path));
  if (/-wal$/.test(path)) {
    // A header of 32 bytes, then frames of a header of 24 bytes and a page.
    const frames = Math.floor((size - 32) / (24 + STEP));
    const starts = Array.from({ length: Math.max(0, frames) }, (_, f) => 32 + f * (24 + STEP));
    return [32, ...starts, ...starts.map((at) => at + 24)];
  }
  return [16, 100, ...multiples(size)];
}

const multiples = (size) => Array.from({ length: Math.ceil(size / STEP) }, (_, i) => i * STEP);

/** Lengths to cut a file to: every 4 KiB and around each structure. */
export function cutsOf(path) {
  const { size } = statSync(path);
  const around = structuresOf(path).flatMap((at) => [at - 1, at, at + 1]);
  const lengths = [0, 1, size >> 1, size - 1, ...multiples(size), ...around];
  return [...new Set(lengths)].filter((length) => length >= 0 && length < size).sort((a, b) => a - b);
}

/** Everything that may happen to a file as a whole, short of flipped bits. */
export function wholeFileDamages(path) {
  const { size } = statSync(path);
  const blocks = multiples(size).map((from) => ({
    kind: "fill",
    from,
    to: Math.min(from + STEP, size),
    value: 0,
  }));
  return [
    ...cutsOf(path).map((length) => ({ kind: "truncate", length })),
    { kind: "fill", from: 0, to: size, value: 0 },
    { kind: "fill", from: 0, to: size, value: 255 },
    { kind: "fill", from: size >> 1, to: size, value: 0 },
    { kind: "fill", from: 0, to: Math.min(64, size), value: 0 },
    ...(blocks.length > 1 ? blocks : []),
    { kind: "append", bytes: 1 },
    { kind: "append", bytes: STEP },
    { kind: "append", bytes: BLOCK_BYTES },
    { kind: "delete" },
    { kind: "folder" },
    { kind: "fifo" },
    { kind: "symlink", to: "copy" },
    { kind: "symlink", to: "itself" },
    { kind: "symlink", to: "/nothing/there" },
    { kind: "symlink", to: "/dev/zero" },
    { kind: "symlink", to: "/dev/full" },
    { kind: "symlink", to: "/" },
  ];
}

/** A short description for reports. */
export function describeDamage({ kind, ...rest }) {
  const details = Object.values(rest).join("..");
  return details === "" ? kind : `${kind} ${details}`;
}
