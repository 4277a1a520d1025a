/** Child of the rig of lies: forges a copy of an index and says what the package makes of it. */
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { serveCases } from "../lib/case-server.mjs";
import { Random } from "../lib/random.mjs";
import { copyIndex, randomVectors } from "./fixture.mjs";
import { Forger } from "./forge.mjs";
import { liesFor } from "./lies.mjs";
import { observe, thrown } from "./observe.mjs";

const { Index } = await import(new URL("../../../dist/index.js", import.meta.url));
const { Catalog } = await import(new URL("../../../dist/documents/catalog.js", import.meta.url));

/** Far more than the files of a fixture and what is made of them. */
const MEMORY_MIB = 256;

const bad = (message) => ({ class: "malformed", message });

/** What is wrong with the shape of an answer, whatever it says. */
function malformed(name, result) {
  if (result?.thrown !== undefined) {
    if (!result.maxsim) return { class: "untyped", message: `${name} threw ${result.stack}` };
    const internal = ["INTERNAL", "WORKER_FAILED"].includes(result.thrown);
    return internal
      ? { class: "untyped", message: `${name}: ${result.thrown} ${result.message}` }
      : undefined;
  }
  const hits = name.startsWith("search") ? result.hits : [];
  for (const [i, { rank, score, text, id, passage }] of hits.entries()) {
    if (rank !== i + 1 || !Number.isFinite(score) || typeof text !== "string" || typeof id !== "string") {
      return bad(`${name}: hit ${i} is ${JSON.stringify(hits[i]).slice(0, 200)}`);
    }
    if (i > 0 && score > hits[i - 1].score) return bad(`${name}: hits do not descend`);
    if (passage.start > passage.end || passage.index < 0)
      return bad(`${name}: hit ${i} has the passage ${JSON.stringify(passage)}`);
  }
  return undefined;
}

function firstMalformed(steps) {
  for (const [name, result] of steps) {
    const problem = malformed(name, result);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function verified(folder) {
  try {
    const catalog = Catalog.open(folder, { readOnly: true });
    try {
      return catalog.verify();
    } finally {
      catalog.close();
    }
  } catch (error) {
    const { maxsim, thrown: code, message, stack } = thrown(error);
    if (!maxsim) throw error;
    return [`${code}: ${message}`, ...(stack === undefined ? [] : [stack])];
  }
}

async function write(work) {
  try {
    const index = await Index.open(work, { threads: 1 });
    try {
      await index.delete(["v1"]);
      await index.addEmbeddings([{ id: "later", vectors: randomVectors(new Random(9), 3), text: "later" }]);
      return undefined;
    } finally {
      await index.close();
    }
  } catch (error) {
    const failure = thrown(error);
    return malformed("write", failure);
  }
}

serveCases(async ({ fixtures, scratch }) => {
  const work = join(scratch, `lied-${process.pid}`);
  const loaded = fixtures.map(({ questions, ...fixture }) => {
    rmSync(work, { recursive: true, force: true });
    cpSync(fixture.index, work, { recursive: true });
    const lies = liesFor(work);
    return {
      ...fixture,
      lies,
      questions: { ...questions, queries: questions.queries.map((rows) => Float32Array.from(rows)) },
    };
  });
  return async ({ fixture: f, lie }) => {
    const { index, questions, goldens, lies } = loaded[f];
    copyIndex(index, work);
    const forger = new Forger(work);
    try {
      lies.get(lie)(forger);
    } catch (error) {
      // The schema itself refuses what STRICT tables and keys do not take.
      if (error.code?.startsWith("SQLITE_CONSTRAINT")) return { class: "impossible", message: error.message };
      throw error;
    } finally {
      forger.close();
    }
    const before = process.resourceUsage().maxRSS;
    const steps = await observe(work, questions);
    const grown = (process.resourceUsage().maxRSS - before) / 1024;
    if (grown > MEMORY_MIB) return { class: "memory", message: `${Math.round(grown)} MiB more` };
    const problem = firstMalformed(steps);
    if (problem !== undefined) return problem;
    const checked = verified(work);
    const failure = steps.find(([, result]) => result?.thrown !== undefined)?.[1];
    const same = isDeepStrictEqual(steps, goldens[0]);
    const written = await write(work);
    if (written !== undefined) return written;
    const afterwards = firstMalformed(await observe(work, questions));
    if (afterwards !== undefined) return { ...afterwards, message: `after a write, ${afterwards.message}` };
    if (failure !== undefined) return { class: "refused", code: failure.thrown, message: failure.message };
    const first = steps.find(([name, result]) => !isDeepStrictEqual(result, new Map(goldens[0]).get(name)));
    return {
      class: same
        ? checked.length > 0
          ? "unread"
          : "harmless"
        : checked.length > 0
          ? "other, verify finds it"
          : "other",
      message: first === undefined ? "" : `${first[0]}: ${JSON.stringify(first[1]).slice(0, 150)}`,
    };
  };
});
