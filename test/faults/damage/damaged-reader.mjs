/** Child of the damage rigs: copies an index, damages one file of the copy, and says what the package makes of it. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { serveCases } from "../lib/case-server.mjs";
import { Random } from "../lib/random.mjs";
import { applyDamage } from "./damage.mjs";
import { DIM, filesOf, randomVectors } from "./fixture.mjs";
import { classify, observe, thrown } from "./observe.mjs";

const { Catalog } = await import(new URL("../../../dist/documents/catalog.js", import.meta.url));
const { Index } = await import(new URL("../../../dist/index.js", import.meta.url));

/** Whether a look at the whole catalog finds something. */
function foundByVerify(folder) {
  try {
    const catalog = Catalog.open(folder, { readOnly: true });
    try {
      return catalog.verify().length > 0;
    } finally {
      catalog.close();
    }
  } catch (error) {
    return thrown(error).maxsim;
  }
}

serveCases(async ({ fixtures, scratch }) => {
  const work = join(scratch, `reader-${process.pid}`);
  /** Contents of folders, which are written again for each case. */
  const cache = new Map();
  const restore = (folder) => {
    const files =
      cache.get(folder) ??
      filesOf(folder)
        .filter((name) => !name.endsWith("-shm"))
        .map((name) => [name, readFileSync(join(folder, name))]);
    cache.set(folder, files);
    rmSync(work, { recursive: true, force: true });
    for (const [name, bytes] of files) {
      mkdirSync(dirname(join(work, name)), { recursive: true });
      writeFileSync(join(work, name), bytes);
    }
  };
  const loaded = fixtures.map(({ questions, ...fixture }) => ({
    ...fixture,
    questions: { ...questions, queries: questions.queries.map((rows) => Float32Array.from(rows)) },
  }));
  /** What the sound index answers after the same writes. */
  const afterWrites = new Map();

  const writeAndObserve = async (questions) => {
    const index = await Index.open(work, { threads: 1 });
    try {
      await index.delete(["v1"]);
      await index.addEmbeddings([
        { id: "later", vectors: randomVectors(new Random(9), 3), text: `dim ${DIM}` },
      ]);
    } finally {
      await index.close();
    }
    return observe(work, questions);
  };

  /** What may be wrong as long as verify notices it has classes of its own. */
  const judged = (seen) => {
    if (seen.class !== "wrong" || !foundByVerify(work)) return seen;
    return { ...seen, class: seen.about === "answers" ? "verify alone" : `${seen.about}, verify finds it` };
  };

  return async ({ fixture: f, base, file, damage, write }) => {
    const { index, folder, questions, goldens: all, compacted } = loaded[f];
    const goldens = base === "compacted" ? [compacted, ...all] : all;
    const source = base === "index" ? index : join(folder, base);
    restore(source);
    applyDamage(join(work, file), damage);
    // A damaged catalog may make other files look wrong; anything else is named itself.
    const catalog = file.startsWith("catalog.sqlite");
    const names = catalog
      ? /catalog\.sqlite|segments\/|codecs\/|there is no index in/
      : new RegExp(file.replaceAll(".", "\\."));
    const seen = judged(classify(await observe(work, questions), goldens, names));
    if (write !== true || seen.class !== "same") return seen;
    let golden = afterWrites.get(source);
    if (golden === undefined) {
      restore(source);
      golden = await writeAndObserve(questions);
      afterWrites.set(source, golden);
      restore(source);
      applyDamage(join(work, file), damage);
    }
    try {
      const written = judged(classify(await writeAndObserve(questions), [golden], names));
      return written.class === "same" ? seen : { ...written, when: "after a write" };
    } catch (error) {
      const failure = thrown(error);
      const named = failure.maxsim && names.test(failure.message);
      return {
        class: named ? "refused" : failure.maxsim ? "unnamed" : "untyped",
        when: "at a write",
        ...failure,
      };
    }
  };
});
