/** Runs a program on a real index and on the model, and compares what both say after each step. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { randomVectors } from "../damage/fixture.mjs";
import { Random } from "../lib/random.mjs";
import { QUERIES, VECTOR_LISTS } from "./program.mjs";
import { Model } from "./reference.mjs";

const dist = (path) => import(new URL(`../../../dist/${path}`, import.meta.url));
const { Index } = await dist("index.js");
const { Catalog } = await dist("documents/catalog.js");

const DIM = 8;

/** What this version of the package can do. */
export async function capabilities(folder) {
  const methods = new Set(
    ["update", "compact", "verify"].filter((name) => typeof Index.prototype[name] === "function"),
  );
  rmSync(folder, { recursive: true, force: true });
  const index = await Index.create(folder, { model: null, dim: DIM });
  const twice = [
    { id: "x", vectors: [] },
    { id: "x", vectors: [] },
  ];
  try {
    await index.addEmbeddings(twice);
    return { methods, duplicates: true };
  } catch (error) {
    if (error.code !== "DUPLICATE_ID") throw error;
    return { methods, duplicates: false };
  } finally {
    await index.close();
  }
}

/** @returns {Promise<object>} how often each operation came to its end */
export async function interpret(folder, { nbits, vectors: seed, operations }) {
  rmSync(folder, { recursive: true, force: true });
  const run = new Run(folder, seed);
  try {
    run.handles = [await Index.create(folder, { model: null, dim: DIM, nbits, threads: 1 })];
    run.handles.push(await run.open(1));
    for (const [i, operation] of operations.entries()) {
      try {
        await run[operation.kind](operation);
        await run.check(operation.handle);
      } catch (error) {
        throw new Error(`operation ${i}, ${JSON.stringify(operation)}: ${error.stack}`);
      }
      run.done[operation.kind] = (run.done[operation.kind] ?? 0) + 1;
    }
    for (const h of [0, 1]) {
      await run.reopen({ handle: h });
      for (let query = 0; query < QUERIES; query++) await run.search({ handle: h, query, k: 50 });
      await run.list();
    }
    return run.done;
  } finally {
    for (const index of run.handles) await index.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

class Run {
  done = {};
  handles = [];
  /** The generation that each object has loaded. */
  at = [0, 0];
  text = 0;

  constructor(folder, seed) {
    const random = new Random(seed);
    this.folder = folder;
    this.model = new Model(folder, DIM);
    this.lists = Array.from({ length: VECTOR_LISTS }, (_, i) =>
      randomVectors(random, i === 0 ? 0 : 1 + (i % 3)),
    );
    this.queries = Array.from({ length: QUERIES }, (_, i) => randomVectors(random, 1 + i));
  }

  /** The second object leaves segments as they are; what the first one writes is merged as it goes. */
  open(h) {
    return Index.open(this.folder, { threads: 1, compaction: h === 0 ? "auto" : "off" });
  }

  documents(given) {
    return given.map(({ id, vectors, year, title }) => ({
      id,
      vectors: this.lists[vectors].slice(),
      text: `text ${this.text++}`,
      ...(year === undefined ? {} : { metadata: { year } }),
      ...(title === undefined ? {} : { title }),
    }));
  }

  /** A write of object `h` came to its end at a generation; a merge of segments may have made further ones. */
  wrote(h, generation) {
    assert.equal(generation, this.model.newest);
    this.merged(this.handles[h].info().generation);
    this.at[h] = this.model.newest;
  }

  /** Generations up to this one say the same as the newest that the model knows. */
  merged(generation) {
    assert.ok(generation >= this.model.newest, `generation ${generation} after ${this.model.newest}`);
    while (this.model.newest < generation) this.model.commit(() => undefined);
  }

  async check(h) {
    const { generation, documents } = this.handles[h].info();
    assert.equal(generation, this.at[h]);
    assert.equal(documents, this.model.live(generation).size);
  }

  async add({ handle, documents: given, onDuplicate }) {
    const documents = this.documents(given);
    const index = this.handles[handle];
    const live = this.model.live();
    if (onDuplicate === "error") {
      const twice = new Set(documents.map(({ id }) => id)).size < documents.length;
      if (twice || documents.some(({ id }) => live.has(id))) {
        await assert.rejects(index.addEmbeddings(documents, { onDuplicate }), { code: "DUPLICATE_ID" });
        return;
      }
    }
    const options = onDuplicate === undefined ? {} : { onDuplicate };
    const report = await index.addEmbeddings(documents, options);
    let kept = documents;
    if (onDuplicate === "skip") {
      const seen = new Set(live.keys());
      kept = documents.filter(({ id }) => !seen.has(id) && seen.add(id));
    } else {
      // Of documents with one id the last one counts.
      kept = documents.filter(({ id }, i) => documents.findLastIndex((other) => other.id === id) === i);
    }
    if (kept.length > 0) await this.model.add(kept);
    this.wrote(handle, report.generation);
  }

  async delete({ handle, ids }) {
    const live = this.model.live();
    const found = new Set(ids.filter((id) => live.has(id)));
    const { deleted, generation } = await this.handles[handle].delete(ids);
    assert.equal(deleted, found.size);
    if (found.size > 0) {
      this.model.commit((next) => {
        for (const id of found) next.delete(id);
      });
    }
    this.wrote(handle, generation);
  }

  async update({ handle, changes }) {
    const live = this.model.live();
    const patches = changes.map(({ id, year }) => ({ id, metadata: { year } }));
    if (changes.some(({ id }) => !live.has(id))) {
      await assert.rejects(this.handles[handle].update(patches), { code: "UNKNOWN_DOCUMENT" });
      return;
    }
    const report = await this.handles[handle].update(patches);
    if (report.generation > this.model.newest) {
      this.model.commit((next) => {
        for (const { id, year } of changes) next.set(id, { ...next.get(id), metadata: { year } });
      });
    }
    this.wrote(handle, report.generation);
  }

  async compact({ handle, all, graceMs }) {
    const { generation } = await this.handles[handle].compact({ all, graceMs });
    this.merged(generation);
    this.wrote(handle, generation);
  }

  async verify({ handle }) {
    const report = await this.handles[handle].verify({});
    assert.deepEqual(report.problems ?? [], []);
  }

  async search({ handle, query, k }) {
    const { hits, generation } = await this.handles[handle].searchEmbeddings(this.queries[query], {
      k,
      effort: "exact",
    });
    assert.equal(generation, this.at[handle]);
    const expected = this.model.search(this.queries[query], k, generation);
    assert.deepEqual(
      hits.map(({ id, score }) => ({ id, score })),
      expected.hits.map(({ id, score }) => ({ id, score })),
    );
    for (const hit of hits) this.same(hit, generation);
  }

  /** The pruned plan may leave out better documents, but not make anything up. */
  async prune({ handle, query, k }) {
    const options = { k, exhaustiveTokens: 0, nprobe: 2 };
    const { hits, generation } = await this.handles[handle].searchEmbeddings(this.queries[query], options);
    const { scores, searchable } = this.model.search(this.queries[query], k, generation);
    assert.equal(hits.length, Math.min(k, searchable));
    assert.equal(new Set(hits.map(({ id }) => id)).size, hits.length);
    for (const { id, score } of hits) assert.equal(score, scores.get(id));
  }

  same({ id, text, title, metadata }, generation) {
    const {
      order: _order,
      stored: _stored,
      codec: _codec,
      ...expected
    } = this.model.live(generation).get(id);
    assert.deepEqual({ id, text, title, metadata: { ...metadata } }, expected);
  }

  async get({ handle, id }) {
    const found = await this.handles[handle].get(id);
    if (!this.model.live(this.at[handle]).has(id)) assert.equal(found, undefined);
    else this.same(found, this.at[handle]);
  }

  async refresh({ handle }) {
    this.at[handle] = await this.handles[handle].refresh();
    assert.equal(this.at[handle], this.model.newest);
  }

  async reopen({ handle }) {
    await this.handles[handle].close();
    this.handles[handle] = await this.open(handle);
    this.at[handle] = this.model.newest;
    await this.check(handle);
  }

  /** Either the signal comes in time and nothing changed, or the documents are there. */
  async abort({ handle, documents: given, after }) {
    const documents = this.documents(given);
    const controller = new AbortController();
    let events = 0;
    const onProgress = () => {
      if (events++ === after) controller.abort();
    };
    try {
      const { generation } = await this.handles[handle].addEmbeddings(documents, {
        signal: controller.signal,
        onProgress,
      });
      await this.model.add(documents);
      this.wrote(handle, generation);
    } catch (error) {
      assert.equal(error.code, "ABORTED");
    }
  }

  /** One document that cannot be stored keeps all others out. */
  async refuse({ handle, documents: given }) {
    const bad = { id: "bad", vectors: new Float32Array(DIM).fill(Number.NaN) };
    await assert.rejects(this.handles[handle].addEmbeddings([...this.documents(given), bad]), {
      code: "INVALID_VECTOR",
    });
  }

  /** Two writers at once: each succeeds or is refused, and what succeeded happened one after the other. */
  async race({ documents: given, ids }) {
    const documents = this.documents(given);
    const locked = (error) => {
      assert.equal(error.code, "LOCKED");
      return undefined;
    };
    const [added, deleted] = await Promise.all([
      this.handles[0].addEmbeddings(documents).catch(locked),
      this.handles[1].delete(ids).catch(locked),
    ]);
    assert.ok(added !== undefined || deleted !== undefined, "both writers were refused");
    const add = async () => {
      this.merged(added.generation - 1);
      await this.model.add(documents);
      assert.equal(added.generation, this.model.newest);
    };
    const remove = async () => {
      if (deleted.deleted > 0) this.merged(deleted.generation - 1);
      const live = this.model.live();
      const found = new Set(ids.filter((id) => live.has(id)));
      assert.equal(deleted.deleted, found.size);
      if (found.size === 0) return;
      this.model.commit((next) => {
        for (const id of found) next.delete(id);
      });
      assert.equal(deleted.generation, this.model.newest);
    };
    const removeFirst = added !== undefined && deleted !== undefined && deleted.generation < added.generation;
    const steps = [...(added === undefined ? [] : [add]), ...(deleted === undefined ? [] : [remove])];
    for (const step of removeFirst ? steps.reverse() : steps) await step();
    this.merged(await this.handles[0].refresh());
    for (const h of [0, 1]) await this.refresh({ handle: h });
  }

  async list() {
    const catalog = Catalog.open(this.folder, { readOnly: true });
    try {
      const listed = catalog.listDocuments(catalog.snapshot(), { offset: 0, limit: 100 });
      const expected = [...this.model.live().values()].sort((a, b) => a.order - b.order).map(({ id }) => id);
      assert.deepEqual(
        listed.map(({ id }) => id),
        expected,
      );
      assert.deepEqual(catalog.verify(), []);
    } finally {
      catalog.close();
    }
  }
}
