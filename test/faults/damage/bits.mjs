/**
 * D2: single flipped bits, of every file and also of a log that a crash left behind. An index answers rightly, or refuses
 * naming the file. A flip in the log can take back commits that are still in it, as SQLite takes a log that does not match
 * its checksums for one that ends there; that is counted apart, and so are wrong answers of searches by words and of filters
 * that `verify` notices.
 */
import { readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { Random, sampleOf, seedOf } from "../lib/random.mjs";
import { damageResult, lookAt, withFixtures } from "./damage-run.mjs";
import { filesOf } from "./fixture.mjs";

export const name = "D2 flipped bits";

/** Bits of a file that are always flipped: of headers and footers, and of the newest commit record. */
function importantBits(path) {
  const bytes = readFileSync(path);
  const bits = new Set();
  const add = (from, to) => {
    for (let bit = 8 * Math.max(0, from); bit < 8 * Math.min(to, bytes.length); bit++) bits.add(bit);
  };
  if (/\.(segment|codec)$/.test(path)) {
    add(0, 64);
    add(bytes.length - 36, bytes.length);
  } else if (bytes.length > 0) {
    add(0, 100);
    // SQLite fills a page from its end, so the newest record stands first.
    const record = bytes.indexOf('{"dim":');
    if (!path.endsWith("-wal")) add(record - 48, bytes.indexOf('"seed"', record) + 48);
  }
  return bits;
}

/** The bits of a file to flip, ascending: the important ones and a random share of all, or all. */
function bitsOf(path, { important, share, limit = Number.MAX_SAFE_INTEGER }, random) {
  const { size } = statSync(path);
  if (share >= 1) return Array.from({ length: 8 * size }, (_, bit) => bit);
  const bits = new Set(important ? sampleOf([...importantBits(path)], limit, random) : []);
  for (const bit of random.sample(Math.ceil(8 * size * share), 8 * size)) bits.add(bit);
  return [...bits].sort((a, b) => a - b);
}

/** The bits of each file of a fixture. @param {(base: string, file: string) => { important: boolean, limit?: number, share: number }} choose */
function filesToFlip(fixture, f, choose, random) {
  return ["index", "logged", "compacted"].flatMap((base) => {
    const folder = base === "index" ? fixture.index : join(fixture.folder, base);
    const seen = new Set();
    return filesOf(folder).map((file) => {
      const { important, ...choice } = choose(base, file);
      const type = extname(file);
      const bits = bitsOf(join(folder, file), { important: important && !seen.has(type), ...choice }, random);
      seen.add(type);
      return { fixture: f, base, file, bits, write: choice.share < 1 };
    });
  });
}

/** Each bit of each file once, in an order that is spread over all of them: a run that ends early has seen of everything. */
function* casesOf(files, random) {
  const total = files.reduce((sum, { bits }) => sum + bits.length, 0);
  const ends = [];
  for (const { bits } of files) ends.push((ends.at(-1) ?? 0) + bits.length);
  const step = coprime(Math.floor(total * 0.618), total);
  for (let i = 0, at = random.below(total); i < total; i++, at = (at + step) % total) {
    const place = ends.findIndex((end) => at < end);
    const { bits, ...test } = files[place];
    yield { ...test, damage: { kind: "flip", bit: bits[at - (ends[place - 1] ?? 0)] } };
  }
}

/** The first number from `from` on without a common divisor with `total`. */
function coprime(from, total) {
  const divisor = (a, b) => (b === 0 ? a : divisor(b, a % b));
  let step = Math.max(1, from);
  while (divisor(step, total) !== 1) step++;
  return step;
}

/** Which share of the bits each tier flips, beside the important ones of one file of each type. */
function shareOf(tier, nbits, base, file) {
  if (tier === "short")
    return { important: base === "index" || file.endsWith("-wal"), limit: 40, share: 0.0002 };
  // The catalogs of the three indexes differ little; segments and codecs do.
  if (nbits === 2) return { important: true, share: base === "index" || file.endsWith("-wal") ? 1 : 0.02 };
  return { important: true, share: file.startsWith("catalog") ? 0.05 : base === "index" ? 1 : 0.01 };
}

/** @param {{ tier: "short" | "long", log: (line: string) => void, minutes?: number }} options */
export async function run({ tier, log, minutes = 30 }) {
  return withFixtures(tier === "short" ? [2] : [2, 1, 4], async (fixtures, scratch) => {
    const seed = seedOf(2);
    const random = new Random(seed);
    log(`${name}: seed ${seed}`);
    const files = fixtures.flatMap((fixture, f) =>
      filesToFlip(fixture, f, (base, file) => shareOf(tier, fixture.nbits, base, file), random),
    );
    const cases = casesOf(
      files.filter(({ bits }) => bits.length > 0),
      random,
    );
    const deadline = performance.now() + minutes * 60_000;
    return damageResult(name, await lookAt(fixtures, scratch, cases, { deadline }));
  });
}
