/** The lies that are told, by name. Each gets a Forger. */
import { Forger } from "./forge.mjs";
import { numbersOf, sectionOf, setNumbers } from "./section-image.mjs";

const U32 = [0, 1, 2, 3, 7, 0x7fffffff, 0x80000000, 0xffffffff];

/** Sets element `at` of a section to `value`. @returns what `Forger.rewrite` takes */
function element(tag, at, value) {
  return (image) => {
    const numbers = numbersOf(image, tag);
    numbers[at < 0 ? numbers.length + at : at] = value;
    setNumbers(image, tag, numbers);
  };
}

/** Replaces all elements: `make` gets the old ones. */
function elements(tag, make) {
  return (image) => setNumbers(image, tag, make(numbersOf(image, tag)));
}

/** Bits of float32 numbers. */
const floatBits = (value) => new Uint32Array(Float32Array.of(value).buffer)[0];
const NAN = 0x7fc00000;

function floats(tag, at, value) {
  return element(tag, at, Number.isNaN(value) ? NAN : floatBits(value));
}

const ODD_FLOATS = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, 3e38, 1e-45];

/** Lies about the container, by what is done to the bytes before they are sealed; `at` is the entry of section 1. */
const AT = 64 + 48;
const big = (offset, value) => (file) => file.writeBigUInt64LE(BigInt.asUintN(64, value), offset);
const small = (offset, value) => (file) => file.writeUInt32LE(value, offset);
const BIG = [0n, 1n, 63n, 831n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n];
const CONTAINER = new Map([
  ...[0, 2, 17, 255, 0xffffffff].map((value) => [`${value} sections`, small(56, value)]),
  ...[0, 2, 3, 0xffffffff].map((value) => [`format version ${value}`, small(8, value)]),
  ...[0, 3, 0xffffffff].map((value) => [`file type ${value}`, small(12, value)]),
  ...BIG.map((value) => [`a file of ${value} bytes`, big(16, value)]),
  ...BIG.map((value) => [`a section at ${value}`, big(AT + 16, value)]),
  ...BIG.map((value) => [`a section of ${value} bytes`, big(AT + 24, value)]),
  ...BIG.map((value) => [`a section of ${value} elements`, big(AT + 32, value)]),
  ...[0, 3, 8, 16, 0x80000000].map((value) => [`elements of ${value} bytes`, small(AT + 8, value)]),
  ["a reserved field", small(60, 1)],
  ["another index", (file) => file.fill(0xee, 24, 40)],
  ["another file id", (file) => file.fill(0xee, 40, 56)],
  ["a tag twice", (file) => file.copy(file, AT, 64, 72)],
  ["a tag of other characters", (file) => file.write("../../et", AT, "latin1")],
  ["an empty tag", (file) => file.fill(0, AT, AT + 8)],
]);

/** Lies of images: sections as such. */
const SECTIONS = new Map([
  ["without its second section", (image) => void image.sections.splice(1, 1)],
  ["without sections", (image) => void image.sections.splice(0)],
  [
    "with a further section",
    (image) => void image.sections.push({ tag: "more", elementSize: 1, bytes: Buffer.alloc(9) }),
  ],
  ["in another order", (image) => void image.sections.reverse()],
  ["with info of 0 numbers", (image) => setNumbers(image, "info", new Uint32Array(0))],
  ["with info of 4 numbers", (image) => setNumbers(image, "info", new Uint32Array(4))],
  ["with info of bytes", (image) => Object.assign(sectionOf(image, "info"), { elementSize: 1 })],
]);

const SEGMENT = new Map([
  ...U32.flatMap((value) =>
    [0, 1, 2, 3, 4, 5, 6].map((at) => [`info ${at} = ${value}`, element("info", at, value)]),
  ),
  ...[65535, 65528, 12].map((value) => [`info 1 = ${value}`, element("info", 1, value)]),
  ...U32.map((value) => [`lengths 0 = ${value}`, element("lengths", 0, value)]),
  [
    "lengths that sum modulo 2^32",
    elements("lengths", (old) => {
      old[0] = (old[0] + 0x80000000) >>> 0;
      old[1] = (old[1] + 0x80000000) >>> 0;
      return old;
    }),
  ],
  ["lengths one short", elements("lengths", (old) => old.slice(0, -1))],
  ["lengths exchanged", elements("lengths", (old) => old.reverse())],
  ...U32.map((value) => [`document 0 = ${value}`, element("document", 0, value)]),
  ["documents descending", elements("document", (old) => old.reverse())],
  ["documents all one", elements("document", (old) => old.fill(old[0]))],
  ...[0xffff, 57, 100, 1000].map((value) => [`codes 0 = ${value}`, element("codes", 0, value)]),
  ["the last code out of range", element("codes", -1, 0xffff)],
  ["codes one short", elements("codes", (old) => old.slice(0, -1))],
  [
    "codes of 4 bytes",
    (image) => {
      const wide = Uint32Array.from(numbersOf(image, "codes"));
      sectionOf(image, "codes").elementSize = 4;
      setNumbers(image, "codes", wide);
    },
  ],
  ...[0x7e00, 0x7c00, 0xfc00, 0xffff, 0, 0x8000, 1, 0x7bff, 0xbc00].map((bits) => [
    `norms 0 = ${bits.toString(16)}`,
    element("norms", 0, bits),
  ]),
  ["norms all NaN", elements("norms", (old) => old.fill(0x7e00))],
  ["residual one short", elements("residual", (old) => old.slice(0, -1))],
  ["residual empty", elements("residual", () => new Uint8Array(0))],
  ...[1, 2, 0x7fffffff, 0xffffffff].map((value) => [`postoff 0 = ${value}`, element("postoff", 0, value)]),
  ...[0, 0x7fffffff, 0xffffffff].map((value) => [`postoff 5 = ${value}`, element("postoff", 5, value)]),
  ...[0, 1, 0x7fffffff, 0xffffffff].map((value) => [`postoff end = ${value}`, element("postoff", -1, value)]),
  ["postoff one short", elements("postoff", (old) => old.slice(0, -1))],
  ["postoff all at the end", elements("postoff", (old) => old.fill(old.at(-1), 1))],
  ["postoff all at the start", elements("postoff", (old) => old.fill(0, 0, old.length - 1))],
  ...[0x7f, 0x80, 0xff].map((value) => [
    `postings all ${value}`,
    elements("postings", (old) => old.fill(value)),
  ]),
  ["postings all 0", elements("postings", (old) => old.fill(0))],
  ["postings ascend", elements("postings", (old) => old.map((_, i) => i & 0x7f))],
  ["the last posting is endless", element("postings", -1, 0xff)],
  ["the first posting is endless", element("postings", 0, 0xff)],
  ["postings empty", elements("postings", () => new Uint8Array(0))],
]);

const CODEC = new Map([
  ...U32.flatMap((value) => [0, 1, 2, 3].map((at) => [`info ${at} = ${value}`, element("info", at, value)])),
  ...[8, 16, 24, 65528, 65535, 0x40000000].map((value) => [`dim ${value}`, element("info", 0, value)]),
  ...ODD_FLOATS.map((value) => [`weight scale ${value}`, floats("info", 4, value)]),
  ...[0, 128, 255].map((value) => [`centroid byte ${value}`, element("centroid", 3, value)]),
  ["centroids one short", elements("centroid", (old) => old.slice(0, -1))],
  ...ODD_FLOATS.map((value) => [`centroid scale ${value}`, floats("cscales", 0, value)]),
  ...ODD_FLOATS.map((value) => [`first cutoff ${value}`, floats("cutoffs", 0, value)]),
  ...ODD_FLOATS.map((value) => [`last cutoff ${value}`, floats("cutoffs", -1, value)]),
  ["cutoffs empty", elements("cutoffs", () => new Uint32Array(0))],
  ...[0, 128, 255].map((value) => [`weight ${value}`, element("weights", 0, value)]),
  ["weights empty", elements("weights", () => new Uint8Array(0))],
  ...U32.flatMap((value) => [0, 1, 2].map((at) => [`groups ${at} = ${value}`, element("groups", at, value)])),
  [
    "a group that overflows",
    elements("groups", (old) => {
      old[1] = 0xffffffff;
      old[2] = 0xffffffff;
      return old;
    }),
  ],
  [
    "groups that overlap",
    elements("groups", (old) => {
      for (let g = 1; g < old.length; g += 3) old[g] = 0;
      return old;
    }),
  ],
  [
    "groups of one id",
    elements("groups", (old) => {
      for (let g = 0; g < old.length; g += 3) old[g] = 5;
      return old;
    }),
  ],
  ["groups not whole", elements("groups", (old) => old.slice(0, -1))],
]);

/** Values for a column that do not belong there. */
function oddValues({ name, type, notnull }, row, rows) {
  const own = row[name];
  const others = rows.map((other) => other[name]).filter((value) => value !== own);
  const odd =
    type === "INTEGER"
      ? [-1, 0, 1, 1000, 2 ** 31, 2 ** 32, 2 ** 53 - 1, -(2 ** 53 - 1), 2n ** 63n - 1n, -(2n ** 63n)]
      : [
          "",
          "../../etc/passwd",
          "a\0b",
          "{}",
          "[1]",
          "null",
          "7",
          '{"a":',
          '{"__proto__":{"x":1}}',
          "x".repeat(1 << 20),
          "[".repeat(100_000),
        ];
  const near = type === "INTEGER" && typeof own === "number" ? [own + 1, own - 1] : [];
  const none = notnull ? [] : [null];
  return [...new Set([...odd, ...near, ...none, ...others.slice(0, 2)])].filter((value) => value !== own);
}

const shown = (value) => {
  const text = typeof value === "bigint" ? `${value}n` : (JSON.stringify(value) ?? "undefined");
  return text.length > 24 ? `${text.slice(0, 24)}...(${text.length})` : text;
};

/** Every column of the first and the last row of every table set to what does not belong there. */
function columnLies(forger, tables) {
  const lies = new Map();
  for (const table of tables) {
    const rows = forger.rows(table);
    const chosen = new Set([0, rows.length - 1].filter((r) => r in rows));
    for (const column of forger.columns(table).slice(0, -1)) {
      for (const r of chosen) {
        for (const value of oddValues(column, rows[r], rows)) {
          lies.set(`${table}[${r}].${column.name} = ${shown(value)}`, (forge) => {
            const row = forge.rows(table)[r];
            if (column.key) {
              const keys = forge.keys(table);
              const wanted = { ...row, [column.name]: value };
              const same = forge.rows(table).find((other) => keys.every((key) => other[key] === wanted[key]));
              if (same !== undefined) forge.remove(table, same);
            }
            forge.put(table, row, { [column.name]: value });
          });
        }
      }
    }
    for (const r of chosen)
      lies.set(`${table} without row ${r}`, (forge) => forge.remove(table, forge.rows(table)[r]));
    lies.set(`${table} without rows`, (forge) => {
      for (const row of forge.rows(table)) forge.remove(table, row);
    });
  }
  return lies;
}

/** Rows that contradict each other though each is plausible. */
const CONTRADICTIONS = new Map([
  [
    "a segment twice",
    (forge) => {
      const rows = forge.rows("segments");
      const next = Math.max(...rows.map(({ segment_no }) => segment_no)) + 1;
      forge.put("segments", undefined, { ...rows[0], segment_no: next });
      countSegments(forge, 1);
    },
  ],
  [
    "a segment twice and another one left out",
    (forge) => {
      const rows = forge.rows("segments");
      const { segment_no } = rows[1];
      forge.put("segments", rows[1], { ...rows[0], segment_no });
    },
  ],
  [
    "two segments in each other's place",
    (forge) => {
      const [a, b] = forge.rows("segments");
      const file = ({ name, length, crc32, sha256, file_id }) => ({ name, length, crc32, sha256, file_id });
      forge.put("segments", a, file(b));
      forge.put("segments", b, file(a));
    },
  ],
  [
    "the first passages of two segments exchanged",
    (forge) => {
      const [a, b] = forge.rows("segments");
      forge.put("segments", a, { first_passage: b.first_passage });
      forge.put("segments", b, { first_passage: a.first_passage });
    },
  ],
  ["no codec", (forge) => forge.put("commits", forge.rows("commits").at(-1), { codec_no: null })],
  [
    "no segments",
    (forge) => {
      const rows = forge.rows("segments");
      for (const row of rows) forge.remove("segments", row);
      countSegments(forge, -rows.length);
    },
  ],
  [
    "a tombstone for all documents",
    (forge) => {
      const commit = forge.rows("commits").at(-1);
      const dead = new Set(forge.rows("tombstones").map(({ document_no }) => document_no));
      const live = forge.rows("documents").filter(({ document_no }) => !dead.has(document_no));
      for (const { document_no, first_passage, passages, tokens } of live) {
        forge.put("tombstones", undefined, {
          document_no,
          gen_deleted: commit.generation,
          first_passage,
          passages,
          tokens,
        });
      }
      forge.put("commits", commit, { tombstones: dead.size + live.length });
    },
  ],
]);

function countSegments(forge, more) {
  const commit = forge.rows("commits").at(-1);
  forge.put("commits", commit, { segments: commit.segments + more });
}

/**
 * All lies for an index.
 * @returns {Map<string, (forger: Forger) => void>}
 */
export function liesFor(folder) {
  const lies = new Map();
  const file = (table, r) => (change, edit) => (forge) =>
    forge.rewrite(table, forge.rows(table)[r], change, edit);
  for (const [table, changes] of [
    ["segments", SEGMENT],
    ["codecs", CODEC],
  ]) {
    const forged = file(table, 0);
    for (const [name, edit] of CONTAINER)
      lies.set(
        `${table}: ${name}`,
        forged(() => undefined, edit),
      );
    for (const [name, change] of [...SECTIONS, ...changes]) lies.set(`${table}: ${name}`, forged(change));
  }
  const forger = new Forger(folder);
  try {
    for (const [name, lie] of columnLies(forger, forger.tables())) lies.set(`catalog: ${name}`, lie);
  } finally {
    forger.close();
  }
  for (const [name, lie] of CONTRADICTIONS) lies.set(`catalog: ${name}`, lie);
  return lies;
}
