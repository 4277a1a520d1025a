/**
 * The writing operations that are attacked. An operation is plain JSON with the name of its entry as `op`; an entry says
 * how the package does it and what it does to the oracle, a Map from id to { id, text, title, url, metadata, version }.
 *
 * `perform(context, operation)` resolves to the acknowledged generation (or undefined). A context has `api` (the package),
 * `folder`, `model` (folder of a model, or null for an index of vectors), `notes` (a folder of files to synchronize) and
 * `index()`, which opens the index once.
 * `missing(api)` says why a build of the package cannot do it.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { DIM, documentOf, metadataOf, vectorsOf } from "./documents.mjs";

const lacksMethod = (name) => (api) =>
  typeof api.Index.prototype[name] === "function" ? undefined : `this build has no Index.${name}`;

/** Writes a file unless it is as it should be: others may be reading it. `text` null removes it. */
function bringTo(path, text) {
  if (text === null) {
    rmSync(path, { force: true });
    return;
  }
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  // Equal times in every run, which the catalog records, and another one for another text.
  const time = 1_600_000_000 + (crc32(text) % 1_000_000);
  utimesSync(path, time, time);
}

const store = (state, id, version) => state.set(id, { ...documentOf(id, version), version });

export const OPERATIONS = {
  /** { nbits } */
  create: {
    missing: () => undefined,
    async perform({ api, folder, model }, { nbits = 4 }) {
      const settings = model === null ? { model: null, dim: DIM } : { model };
      const index = await api.Index.create(folder, { ...settings, nbits, threads: 1 });
      const { generation } = index.info();
      await index.close();
      return generation;
    },
    apply() {},
  },
  /** { ids, version } */
  add: {
    missing: () => undefined,
    async perform({ index, model }, { ids, version }) {
      const documents = ids.map((id) => documentOf(id, version));
      const opened = await index();
      if (model !== null) return (await opened.add(documents)).generation;
      const embedded = documents.map((document) => ({
        ...document,
        vectors: vectorsOf(document.id, version),
      }));
      return (await opened.addEmbeddings(embedded)).generation;
    },
    apply(state, { ids, version }) {
      for (const id of ids) {
        // A replaced document is a new one: it comes last.
        state.delete(id);
        store(state, id, version);
      }
    },
  },
  /** { ids } */
  delete: {
    missing: () => undefined,
    async perform({ index }, { ids }) {
      return (await (await index()).delete(ids)).generation;
    },
    apply(state, { ids }) {
      for (const id of ids) state.delete(id);
    },
  },
  /** { ids, version }: new metadata, url and title without new text. */
  update: {
    missing: lacksMethod("update"),
    async perform({ index }, { ids, version }) {
      const changes = ids.map((id) => ({
        id,
        metadata: metadataOf(id, version),
        title: `title ${id} at ${version}`,
        url: `https://example.org/${id}/${version}`,
      }));
      return (await (await index()).update(changes)).generation;
    },
    apply(state, { ids, version }) {
      for (const id of ids) {
        const known = state.get(id);
        if (known === undefined) continue;
        const changed = { title: `title ${id} at ${version}`, url: `https://example.org/${id}/${version}` };
        state.set(id, { ...known, ...changed, metadata: metadataOf(id, version) });
      }
    },
  },
  /** { options }: those of Index.compact. */
  compact: {
    missing: lacksMethod("compact"),
    async perform({ index }, { options = {} }) {
      return (await (await index()).compact(options)).generation;
    },
    apply() {},
  },
  /** { ids, options }: mends the index; `ids` are those of documents that go with what is damaged. */
  repair: {
    missing: (api) => (typeof api.repairIndex === "function" ? undefined : "this build has no repairIndex"),
    async perform({ api, folder }, { options = {} }) {
      const report = await api.repairIndex(folder, { threads: 1, ...options });
      if (!report.ok) throw new Error(`the repair left ${JSON.stringify(report.left)}`);
      return report.generation;
    },
    apply(state, { ids = [] }) {
      for (const id of ids) state.delete(id);
    },
  },
  /** { files: { name: text or null } }: brings a folder of Markdown files to this content and synchronizes it. */
  sync: {
    missing: lacksMethod("sync"),
    async perform({ index, notes }, { files }) {
      for (const [name, text] of Object.entries(files)) bringTo(join(notes, name), text);
      return (await (await index()).sync([notes])).generation;
    },
    apply(state, { files }) {
      for (const [name, text] of Object.entries(files)) {
        state.delete(name);
        if (text !== null) state.set(name, { id: name, text: text.trim(), synced: true });
      }
    },
  },
};

/** Why the operations cannot be done with this build; undefined when they can. */
export function missingOperation(api, operations) {
  for (const { op } of operations) {
    const reason = OPERATIONS[op].missing(api);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** The oracle's state after the operations. */
export function stateAfter(operations) {
  const state = new Map();
  for (const operation of operations) OPERATIONS[operation.op].apply(state, operation);
  return state;
}
