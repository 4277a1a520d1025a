/** Ways to use an index that strain a process: many times, from many sides, or to be broken off. Each returns what it saw. */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { copyIndex, filesOf, randomVectors } from "../damage/fixture.mjs";
import { Random } from "../lib/random.mjs";

const { Index } = await import(new URL("../../../dist/index.js", import.meta.url));
const QUERY = randomVectors(new Random(5), 3);

/** Descriptors and threads of this process; null where the system does not tell. */
function resources() {
  try {
    const status = readFileSync("/proc/self/status", "utf8");
    return {
      descriptors: readdirSync("/proc/self/fd").length,
      threads: Number(/Threads:\s+(\d+)/.exec(status)[1]),
      mib: Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024,
    };
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
}

async function cycle(folder, i) {
  const index = await Index.open(folder, { threads: 1 });
  await index.searchEmbeddings(QUERY, { k: 3 });
  if (i % 40 === 0) await index.search("cat", { k: 1 });
  await index.close();
}

/** Documents that `writer` adds one after the other; generation g of the run has g of them more. */
const numbered = (i) => [
  { id: `n${i}`, vectors: randomVectors(new Random(i), 1 + (i % 4)), text: `number ${i}` },
];

const rows = [
  {
    name: "opening and closing again and again",
    seconds: 200,
    async run({ folder, size }) {
      const cycles = size(150, 1000);
      // The first rounds load code and let pools and caches reach their size.
      for (let i = 0; i < 60; i++) await cycle(folder, i);
      const before = resources();
      for (let i = 0; i < cycles; i++) await cycle(folder, i);
      const after = resources();
      if (before === null) return `${cycles} rounds; the system does not count descriptors`;
      assert.ok(
        after.descriptors <= before.descriptors,
        `${before.descriptors} descriptors became ${after.descriptors}`,
      );
      assert.ok(after.threads <= before.threads, `${before.threads} threads became ${after.threads}`);
      const grown = after.mib - before.mib;
      assert.ok(grown < 60, `${Math.round(grown)} MiB more after ${cycles} rounds`);
      return `${cycles} rounds: ${after.descriptors} descriptors, ${after.threads} threads, ${Math.round(grown)} MiB more`;
    },
  },
  {
    name: "failing to open again and again",
    seconds: 60,
    async run({ folder, size }) {
      const victim = join(
        folder,
        filesOf(folder).find((name) => name.endsWith(".segment")),
      );
      rmSync(victim);
      const fail = () => assert.rejects(Index.open(folder, { threads: 1 }), { name: "MaxsimError" });
      for (let i = 0; i < 20; i++) await fail();
      const before = resources();
      const rounds = size(100, 1000);
      for (let i = 0; i < rounds; i++) await fail();
      const after = resources();
      if (before !== null)
        assert.ok(after.descriptors <= before.descriptors, JSON.stringify({ before, after }));
      return `${rounds} failures leave no descriptor behind`;
    },
  },
  {
    name: "closing during searches",
    seconds: 60,
    async run({ folder, size }) {
      const outcomes = {};
      for (let round = 0; round < size(5, 50); round++) {
        const index = await Index.open(folder, { threads: 2 });
        const expected = await index.searchEmbeddings(QUERY);
        const searches = Array.from({ length: 16 }, () => index.searchEmbeddings(QUERY));
        const late = new Promise((resolve) =>
          setImmediate(() => resolve(index.searchEmbeddings(QUERY).catch((e) => e.code))),
        );
        await index.close();
        for (const { status, value, reason } of await Promise.allSettled(searches)) {
          if (status === "fulfilled") assert.deepEqual(value, expected);
          else assert.equal(reason.code, "CLOSED");
          outcomes[status] = (outcomes[status] ?? 0) + 1;
        }
        const code = await late;
        assert.ok(code === "CLOSED" || Array.isArray(code.hits));
      }
      return JSON.stringify(outcomes);
    },
  },
  {
    name: "aborting at every event",
    seconds: 120,
    async run({ folder }) {
      const index = await Index.open(folder, { threads: 1, compaction: "off" });
      const before = index.info();
      const texts = Array.from({ length: 300 }, (_, i) => ({
        id: `t${i}`,
        text: `the cat sat on mat number ${i}`,
      }));
      const vectors = Array.from({ length: 300 }, (_, i) => numbered(i)[0]);
      let aborted = 0;
      for (const [method, documents] of [
        ["add", texts],
        ["addEmbeddings", vectors],
      ]) {
        for (let at = 0; ; at++) {
          const controller = new AbortController();
          let events = 0;
          // The last event tells of the commit itself.
          const onProgress = ({ stage, done, total }) => {
            if (stage === "commit" && done === total) return;
            if (events++ === at) controller.abort();
          };
          let committed = false;
          try {
            await index[method](documents, { signal: controller.signal, onProgress });
            committed = true;
          } catch (error) {
            assert.equal(error.code, "ABORTED", error.stack);
            aborted++;
            assert.deepEqual(index.info(), before);
            // What no generation names may lie there until the next write, or be gone when its grace time is over.
            const now = new Set(filesOf(folder));
            assert.deepEqual(
              index.segments().filter(({ file }) => !now.has(file)),
              [],
            );
            // Opens only with its codec and segments.
            await (await Index.open(folder, { threads: 1 })).close();
          }
          if (committed) {
            assert.ok(events > 0);
            const segments = filesOf(folder).filter((name) => name.endsWith(".segment"));
            assert.equal(segments.length, index.info().segments);
            assert.deepEqual(
              filesOf(folder).filter((name) => /\.tmp$|build|journal/.test(name)),
              [],
            );
            break;
          }
        }
        if (method === "add") {
          await index.delete(texts.map(({ id }) => id));
          Object.assign(before, index.info());
        }
      }
      const signal = AbortSignal.abort();
      await assert.rejects(index.searchEmbeddings(QUERY, { signal }), { code: "ABORTED" });
      await index.close();
      return `${aborted} aborts, nothing changed`;
    },
  },
  {
    name: "two writers in one process",
    seconds: 60,
    async run({ folder, size }) {
      const open = () => Index.open(folder, { threads: 1, compaction: "off" });
      const writers = [await open(), await open()];
      const start = writers[0].info().generation;
      let committed = 0;
      let locked = 0;
      for (let round = 0; round < size(15, 200); round++) {
        const results = await Promise.allSettled(
          writers.map((index, w) => index.addEmbeddings(numbered(2 * round + w))),
        );
        for (const { status, reason } of results) {
          if (status === "fulfilled") committed++;
          else {
            assert.equal(reason.code, "LOCKED", reason.stack);
            locked++;
          }
        }
      }
      assert.equal(await writers[0].refresh(), start + committed);
      assert.equal(await writers[1].refresh(), start + committed);
      for (const index of writers) await index.close();
      return `${committed} committed, ${locked} refused as LOCKED`;
    },
  },
  {
    name: "parallel searches during writes",
    seconds: 120,
    async run({ folder, size }) {
      const writer = await Index.open(folder, { threads: 1 });
      const reader = await Index.open(folder, { threads: 2 });
      const writes = size(12, 150);
      /** Documents with vectors at each generation. */
      const searchable = new Map([
        [writer.info().generation, (await writer.searchEmbeddings(QUERY, { k: 1000 })).hits.length],
      ]);
      let writing = true;
      let searches = 0;
      const seen = new Set();
      const look = async (index, refreshes) => {
        let last = 0;
        while (writing) {
          if (refreshes) await index.refresh();
          const { hits, generation } = await index.searchEmbeddings(QUERY, { k: 1000 });
          searches++;
          seen.add(generation);
          // What the writer has not yet told is known a moment later.
          while (!searchable.has(generation) && writing)
            await new Promise((resolve) => setTimeout(resolve, 1));
          assert.equal(hits.length, searchable.get(generation), `generation ${generation}`);
          if (refreshes) assert.ok(generation >= last, `generation ${last}, then ${generation}`);
          last = generation;
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      const looking = [look(writer, false), look(reader, true), look(reader, true), look(reader, false)];
      try {
        for (let i = 0; i < writes; i++) {
          const remove = i % 3 === 2;
          const last = [...searchable.values()].at(-1);
          const { generation } = remove
            ? await writer.delete([`n${i - 1}`])
            : await writer.addEmbeddings(numbered(i));
          // Merging segments makes generations as well.
          for (let g = generation; g <= writer.info().generation; g++)
            searchable.set(g, last + (remove ? -1 : 1));
        }
      } finally {
        writing = false;
      }
      await Promise.all(looking);
      await Promise.all([writer.close(), reader.close()]);
      return `${searches} searches saw ${seen.size} of ${searchable.size} generations`;
    },
  },
  {
    name: "a file cut while it is open (D3)",
    seconds: 120,
    async run({ folder, scratch, size }) {
      const outcomes = {};
      for (const timing of ["between searches", "during searches"]) {
        for (let round = 0; round < size(2, 20); round++) {
          const copy = join(scratch, "cut");
          copyIndex(folder, copy);
          const outcome = await cutWhileOpen(copy, timing);
          if (timing === "between searches") assert.match(outcome, /^(CORRUPT|same)$/);
          else assert.match(outcome, /^(CORRUPT|same|SIGBUS)$/);
          outcomes[`${timing}: ${outcome}`] = (outcomes[`${timing}: ${outcome}`] ?? 0) + 1;
        }
      }
      return JSON.stringify(outcomes);
    },
  },
];

/** A process of its own searches while its segment file loses its end; how that ended. */
function cutWhileOpen(folder, timing) {
  const child = fork(new URL("cut-reader.mjs", import.meta.url), [folder, timing], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let outcome = "nothing";
  child.on("message", (message) => {
    outcome = message;
  });
  return new Promise((resolve) => {
    child.on("close", (code, signal) => resolve(signal ?? (code === 0 ? outcome : `exit status ${code}`)));
  });
}

export const USE_ROWS = new Map(rows.map((row) => [row.name, row]));
