/** What rows of the table of hostile inputs work with. */
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const dist = (path) => import(new URL(`../../../dist/${path}`, import.meta.url));
export const { Index, readCorpus } = await dist("index.js");

/** A row of the table of norm 1 and dimension 8. */
export const ROW = Float32Array.of(0.6, 0, 0.8, 0, 0, 0, 0, 0);

export class Context {
  constructor(folder, model, tier) {
    this.folder = folder;
    this.model = model;
    this.tier = tier;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
  }

  /** By tier. */
  size(short, long) {
    return this.tier === "short" ? short : long;
  }

  path(name) {
    return join(this.folder, name);
  }

  write(files) {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(this.path(name)), { recursive: true });
      writeFileSync(this.path(name), content);
    }
  }

  /** Calls `work` with a new index of the tiny model. */
  async withText(work) {
    const index = await Index.create(this.path("index"), { model: this.model, threads: 1 });
    try {
      return await work(index);
    } finally {
      await index.close();
    }
  }

  /** Calls `work` with a new index of vectors. */
  async withVectors(work) {
    const index = await Index.create(this.path("index"), { model: null, dim: 8, threads: 1 });
    try {
      return await work(index);
    } finally {
      await index.close();
    }
  }

  /** Everything that reading `name` gives. */
  async corpus(name, options) {
    const items = [];
    for await (const item of readCorpus([this.path(name)], options)) items.push(item);
    return items;
  }

  /** The promise must end in a MaxsimError of one of these codes; returns its message. */
  async refused(promise, ...codes) {
    try {
      await promise;
    } catch (error) {
      assert.equal(error.name, "MaxsimError", error.stack);
      assert.ok(
        codes.includes(error.code),
        `${error.code}: ${error.message}, expected ${codes.join(" or ")}`,
      );
      assert.ok(error.message.length < 2000, `a message of ${error.message.length} characters`);
      return `${error.code}: ${error.message.replaceAll(this.folder, "").slice(0, 110)}`;
    }
    return assert.fail(`nothing was refused, expected ${codes.join(" or ")}`);
  }
}

/** An object of that many objects in each other. */
export function nested(depth) {
  let value = {};
  for (let i = 0; i < depth; i++) value = { a: value };
  return value;
}
