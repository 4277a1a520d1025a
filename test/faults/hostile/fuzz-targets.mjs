/**
 * What is fuzzed. Each target gets a random generator and says how it went: "refused", "same", or another class of the
 * damage rigs; it throws on a finding. The same seed does the same.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copyIndex, filesOf } from "../damage/fixture.mjs";
import { Forger } from "../damage/forge.mjs";
import { classify, observe, thrown } from "../damage/observe.mjs";
import { mutate } from "./mutate.mjs";

const dist = (path) => import(new URL(`../../../dist/${path}`, import.meta.url));
const { Index, readCorpus } = await dist("index.js");
const { Catalog } = await dist("documents/catalog.js");
const { backupIndex } = await dist("engine/backup.js");
const { restoreIndex } = await dist("engine/restore.js");

/** What was thrown must be an error of the package. */
function requireTyped(error) {
  const { maxsim, thrown: code, stack } = thrown(error);
  assert.ok(maxsim && code !== "INTERNAL" && code !== "WORKER_FAILED", stack ?? `${code}: ${error.message}`);
  return code;
}

function requireTypedSteps(steps) {
  for (const [name, result] of steps) {
    if (
      result?.thrown !== undefined &&
      (!result.maxsim || ["INTERNAL", "WORKER_FAILED"].includes(result.thrown))
    ) {
      assert.fail(`${name}: ${result.stack ?? result.message}`);
    }
  }
  return steps.some(([, result]) => result?.thrown !== undefined) ? "refused" : "answered";
}

function verifies(folder) {
  try {
    const catalog = Catalog.open(folder, { readOnly: true });
    try {
      return catalog.verify().length === 0;
    } finally {
      catalog.close();
    }
  } catch (error) {
    requireTyped(error);
    return false;
  }
}

async function settle(work) {
  try {
    await work();
    return undefined;
  } catch (error) {
    return requireTyped(error);
  }
}

/** A document for each kind of file, to be changed. */
const SOURCES = {
  "x.jsonl":
    '{"id":"a","text":"the cat","year":2001}\n{"_id":"b","text":"a dog","metadata":{"a":[1,null]}}\n',
  "x.csv": 'id,text,title\n1,"a ""quoted"" cat",x\n2,"two\nlines",y\n',
  "x.tsv": "id\ttext\n1\tcat\n",
  "x.md":
    "---\ntitle: x\n---\n# Cat\n\n- a *b* `c`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```js\ncode\n```\n[l](u) <b>x</b>\n",
  "x.html": "<!doctype html><title>t</title><p>a<b>c</p><table><tr><td>x<script>1</script><pre>y</pre>",
  "x.rst": "Title\n=====\n\n.. note:: x\n\n   y\n\n* a\n* b\n\n::\n\n  code\n",
  "x.txt": "the cat sat\n\non the mat",
  "x.py": 'def f(x):\n  """doc"""\n  return x\n',
};

/** @returns {Promise<Record<string, (random: object) => Promise<string>>>} */
export async function fuzzTargets({ fixture, work }) {
  const { index, folder, questions, goldens } = fixture;
  const archive = `${work}.tar`;
  rmSync(archive, { force: true });
  await backupIndex(index, archive);
  const backup = readFileSync(archive);
  const restored = `${work}-restored`;
  const journal = await journaled(fixture, work);

  const damagedCatalog = (name, base) => async (random) => {
    copyIndex(base, work);
    const path = join(work, name);
    writeFileSync(path, mutate(readFileSync(path), random));
    const seen = classify(await observe(work, questions), goldens, /./);
    if (seen.class === "wrong" && !verifies(work)) return "verify alone";
    assert.ok(["same", "refused", "rolled back"].includes(seen.class), JSON.stringify(seen).slice(0, 800));
    return seen.class;
  };

  return {
    /** Sections changed at random, with right checksums. */
    async sections(random) {
      copyIndex(index, work);
      const forger = new Forger(work);
      try {
        const table = random.below(3) === 0 ? "codecs" : "segments";
        const rows = forger.rows(table).filter(({ name }) => existsSync(join(work, name)));
        forger.rewrite(table, rows[random.below(rows.length)], (image) => {
          for (let i = random.below(2); i >= 0; i--) {
            const section = image.sections[random.below(image.sections.length)];
            if (section.bytes.length > 0) section.bytes = mutate(section.bytes, random);
          }
        });
      } finally {
        forger.close();
      }
      return requireTypedSteps(await observe(work, questions));
    },
    /** Files of sections changed at random, whose checksums are not right any more. */
    async files(random) {
      copyIndex(index, work);
      const names = filesOf(work).filter((name) => /\.(segment|codec)$/.test(name));
      const path = join(work, names[random.below(names.length)]);
      const before = readFileSync(path);
      const after = mutate(before, random);
      writeFileSync(path, after);
      const seen = classify(await observe(work, questions), goldens, /./);
      assert.ok(seen.class === "refused" || seen.class === "same", JSON.stringify(seen).slice(0, 800));
      return seen.class;
    },
    catalog: damagedCatalog("catalog.sqlite", index),
    log: damagedCatalog("catalog.sqlite-wal", join(folder, "logged")),
    /** An archive: what it gives is the index that was backed up, or nothing. */
    async archive(random) {
      writeFileSync(archive, mutate(backup, random));
      rmSync(restored, { recursive: true, force: true });
      const code = await settle(() => restoreIndex(archive, restored));
      if (code !== undefined) {
        assert.ok(!existsSync(restored), `${code}, and the folder is there`);
        return "refused";
      }
      const seen = classify(await observe(restored, questions), goldens, /./);
      assert.ok(seen.class === "same", JSON.stringify(seen).slice(0, 800));
      return "same";
    },
    /** A journal of encoded passages: what is taken from it is what would have been encoded. */
    async journal(random) {
      copyIndex(journal.index, work);
      writeFileSync(join(work, "encode.journal"), mutate(journal.bytes, random));
      const open = await Index.open(work, { threads: 1 });
      try {
        const code = await settle(() => open.add(journal.documents));
        if (code !== undefined) return "refused";
      } finally {
        await open.close();
      }
      const seen = classify(await observe(work, questions), [journal.golden], /./);
      assert.ok(seen.class === "same", JSON.stringify(seen).slice(0, 800));
      return "same";
    },
    /** Readers of corpora: documents and reasons, or an error with a type. */
    async corpora(random) {
      const names = Object.keys(SOURCES);
      const name = names[random.below(names.length)];
      rmSync(work, { recursive: true, force: true });
      mkdirSync(work);
      const path = join(work, name);
      writeFileSync(path, mutate(Buffer.from(SOURCES[name]), random));
      const code = await settle(async () => {
        for await (const item of readCorpus([path], { skipInvalid: random.below(2) === 0 })) {
          if (item.kind === "document") assert.ok(item.document.text.isWellFormed() || name === "x.jsonl");
        }
      });
      return code === undefined ? "same" : "refused";
    },
  };
}

/** A broken-off add that left its journal, and what the index answers once the add came to its end. */
async function journaled({ index, questions }, work) {
  const documents = Array.from({ length: 12 }, (_, i) => ({
    id: `j${i}`,
    text: `the cat sat on mat number ${i}`,
  }));
  copyIndex(index, work);
  const open = await Index.open(work, { threads: 1 });
  const controller = new AbortController();
  const onProgress = ({ stage, done }) => {
    if (stage === "encode" && done > 0) controller.abort();
  };
  try {
    await settle(() => open.add(documents, { signal: controller.signal, onProgress }));
  } finally {
    await open.close();
  }
  const path = join(work, "encode.journal");
  const bytes = readFileSync(path);
  copyIndex(index, work);
  const again = await Index.open(work, { threads: 1 });
  try {
    writeFileSync(path, bytes);
    const { resumed } = await again.add(documents);
    assert.ok(resumed > 0, "nothing was taken from the journal");
  } finally {
    await again.close();
  }
  return { index, documents, bytes, golden: await observe(work, questions) };
}
