/** The documents of the crash rigs: everything about one follows from its id and its version. */
import { createHash } from "node:crypto";

export const DIM = 16;
const VECTORS = 5;

/** Numbers in [0, 1) that follow from a text; independent of the package, which is under test. */
function numbersFrom(text, count) {
  const numbers = [];
  for (let block = 0; numbers.length < count; block++) {
    const bytes = createHash("sha512").update(`${block} ${text}`).digest();
    for (let at = 0; at < bytes.length && numbers.length < count; at += 4)
      numbers.push(bytes.readUInt32LE(at) / 2 ** 32);
  }
  return numbers;
}

/** f32 `[VECTORS][DIM]` */
export function vectorsOf(id, version) {
  return Float32Array.from(numbersFrom(`${id} ${version}`, VECTORS * DIM), (x) => x - 0.5);
}

const WORDS = [
  "cat",
  "dog",
  "mat",
  "sat",
  "fast",
  "search",
  "index",
  "token",
  "running",
  "dogs",
  "cats",
  "the",
];

/** What the index must hold of a document: the oracle's view. */
export function documentOf(id, version) {
  const words = numbersFrom(`${id} ${version} words`, 12).map((x) => WORDS[Math.floor(x * WORDS.length)]);
  return {
    id,
    text: `${words.join(" ")}. ${id} version ${version}.`,
    title: `title ${id}`,
    url: `https://example.org/${id}`,
    metadata: metadataOf(id, version),
  };
}

export function metadataOf(id, version) {
  return { version, tag: Number(id.slice(1)) % 2 === 0 ? "even" : "odd", tags: [id, "all"] };
}
