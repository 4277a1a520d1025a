// Metadata for documents that have none: of the size and the kinds that papers have, the same for a number each time.

import { Index } from "../../../dist/engine/index.js";

const CATEGORIES = "cs.CL cs.LG math.CO hep-th astro-ph q-bio stat.ML cond-mat eess.SP quant-ph".split(" ");
const NOTE =
  "what a reader wrote down about this paper, in about a hundred characters, more or less, and why";
const DAY = 86_400_000;
/** Documents changed in one generation. */
const BATCH = 100_000;

/** A number below 2^32 that looks random, for the n-th document and a purpose. */
function scatter(n, purpose) {
  let x = Math.imul(n + 1, 0x9e3779b1) ^ Math.imul(purpose + 1, 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** The field `bucket`: 0 to 99. @param {number} n */
export function bucketOf(n) {
  return scatter(n, 0) % 100;
}

function metadataOf(n) {
  return {
    year: 1991 + (scatter(n, 1) % 33),
    category: CATEGORIES[scatter(n, 2) % CATEGORIES.length],
    bucket: bucketOf(n),
    published: new Date(Date.UTC(1991, 0, 1) + (scatter(n, 3) % (33 * 365)) * DAY).toISOString(),
    authors: [`Author ${scatter(n, 4) % 5000}`, `Author ${scatter(n, 5) % 5000}`],
    journal: { name: `Journal ${scatter(n, 6) % 40}`, volume: scatter(n, 7) % 500 },
    doi: `10.1000/${n}`,
    note: NOTE,
  };
}

/**
 * Gives the documents "0" to "documents - 1" of an index titles and about 350 bytes of metadata each.
 *
 * @param {string} folder
 * @param {number} documents
 */
export async function describeDocuments(folder, documents) {
  const index = await Index.open(folder, { compaction: "off" });
  try {
    for (let first = 0; first < documents; first += BATCH) {
      const length = Math.min(BATCH, documents - first);
      const patches = Array.from({ length }, (_, i) => first + i).map((n) => ({
        id: String(n),
        title: `Title of ${n}`,
        metadata: metadataOf(n),
      }));
      await index.update(patches);
    }
    // The rows of before are gone then, as they would be for documents that were added so.
    await index.compact({ graceMs: 0 });
  } finally {
    await index.close();
  }
}
