/** The index as it should be: documents in a map for each generation, and exact MaxSim over what is stored of them. */
import { join } from "node:path";

const dist = (path) => import(new URL(`../../../dist/${path}`, import.meta.url));
const { Catalog } = await dist("documents/catalog.js");
const { decodeCodecFile } = await dist("codec/codec-file.js");
const { readSectionFile } = await dist("storage/section-reader.js");
const { referenceBackend } = await dist("kernels/reference.js");
const { packQuery, quantizeVectors } = await dist("kernels/pack.js");

/**
 * @typedef {{ id: string, order: number, text: string, title?: string, metadata: object, rows: Float32Array,
 *   stored?: object }} ModelDocument `order` grows with every document that is added; `stored`: the compressed tokens
 */

/** Scores of float rounding: f32 arithmetic of the kernels against f64 here, for each query token. */
const TOLERANCE = 1e-3;

/** The codec that the newest generation names; null while there is none. */
async function newestCodec(folder) {
  const catalog = Catalog.open(folder, { readOnly: true });
  try {
    const { codec, indexId } = catalog.snapshot();
    if (codec === null) return null;
    const { name, fileId, length } = codec.file;
    return decodeCodecFile(
      await readSectionFile(join(folder, name), { type: "codec", indexId, fileId, length }),
    );
  } finally {
    catalog.close();
  }
}

export class Model {
  /** Live documents by id, for each generation. @type {Map<string, ModelDocument>[]} */
  generations = [new Map()];
  order = 0;
  codec = null;

  constructor(folder, dim) {
    this.folder = folder;
    this.dim = dim;
  }

  get newest() {
    return this.generations.length - 1;
  }

  live(generation = this.newest) {
    return this.generations[generation];
  }

  /** The next generation: the newest one changed by `change`. */
  commit(change) {
    const next = new Map(this.live());
    change(next);
    this.generations.push(next);
  }

  /** Adds documents that were just committed; later ones of the same id win. */
  async add(documents) {
    this.codec = await newestCodec(this.folder);
    const { codec, dim } = this;
    this.commit((live) => {
      for (const { id, vectors, text = "", title, metadata = {} } of documents) {
        const count = vectors.length / dim;
        const stored =
          codec === null || count === 0
            ? undefined
            : codec.encode(quantizeVectors(vectors.slice(), count, dim), null, referenceBackend);
        live.set(id, { id, order: this.order++, text, title, metadata, stored, codec });
      }
    });
  }

  /** The best k documents of a generation: score descending, then the order of adding. */
  search(query, k, generation) {
    const tokens = query.length / this.dim;
    const packed = packQuery(query, tokens, this.dim);
    const scored = [...this.live(generation).values()]
      .filter(({ stored }) => stored !== undefined)
      .map(({ id, order, stored, codec }) => ({
        id,
        order,
        score: this.score(packed, query, stored, codec),
      }));
    scored.sort((a, b) => b.score - a.score || a.order - b.order);
    return {
      hits: scored.slice(0, k),
      searchable: scored.length,
      scores: new Map(scored.map(({ id, score }) => [id, score])),
    };
  }

  /** MaxSim in the arithmetic that is promised, and again in plain floating point, which must agree. */
  score(packed, query, stored, codec) {
    const table = new Float32Array(codec.codebook.size * packed.lanes);
    referenceBackend.centroidScores(packed, codec.codebook, table, null);
    const out = new Float32Array(1);
    const offsets = Uint32Array.of(0, stored.codes.length);
    referenceBackend.maxsim(packed, codec.quantizer, table, stored, offsets, null, out);
    const decoded = codec.decode(stored);
    let sum = 0;
    for (let q = 0; q < packed.tokens; q++) {
      let best = Number.NEGATIVE_INFINITY;
      for (let t = 0; t < stored.codes.length; t++) {
        let dot = 0;
        for (let d = 0; d < this.dim; d++) dot += query[q * this.dim + d] * decoded[t * this.dim + d];
        best = Math.max(best, dot);
      }
      sum += best;
    }
    // Queries are packed to 8 bits, which costs up to half a step of 1 / 127 in every component.
    const allowed = packed.tokens * (TOLERANCE + (0.5 / 127) * Math.sqrt(this.dim));
    if (Math.abs(sum - out[0]) > allowed)
      throw new Error(`MaxSim ${out[0]} by the kernels is ${sum} in floating point`);
    return out[0];
  }
}
