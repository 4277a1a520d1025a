/**
 * The table of hostile inputs: each row makes one and says what became of it, or fails. `memory`: MiB that it may take beyond
 * what the process had; `seconds`: how long it may run.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, openSync, symlinkSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { nested, ROW } from "./context.mjs";

const MAIN = fileURLToPath(new URL("../../../dist/cli/main.js", import.meta.url));
const dist = (path) => import(new URL(`../../../dist/${path}`, import.meta.url));
const { extractText, formatOf } = await dist("text/extract/index.js");

/** Scores of a result must be numbers, the hits as many as can be. */
function hits(result, count) {
  assert.equal(result.hits.length, count);
  for (const { score } of result.hits) assert.ok(Number.isFinite(score));
  return result.hits.map(({ id }) => id);
}

/** Inputs on which a careless parser or pattern takes quadratic time or deep recursion. */
const REPEATED = [
  "a",
  "!",
  "a ",
  "\n",
  " ",
  "#",
  "[",
  "](",
  "*a_",
  "> ",
  "- ",
  "`",
  "<b>",
  "<",
  "&#",
  "|",
  "\u200d",
  "\u0301",
  "日",
  "a-",
  "1.",
  "_*",
];

const rows = [
  {
    name: "a line of 1 GB, JSONL (128 MiB in the short tier)",
    memory: 300,
    seconds: 30,
    async run(context) {
      const file = openSync(context.path("long.jsonl"), "w");
      ftruncateSync(file, context.size(2 ** 27, 2 ** 30));
      closeSync(file);
      const message = await context.refused(context.corpus("long.jsonl"), "INVALID_INPUT");
      const skipped = await context.corpus("long.jsonl", { skipInvalid: true });
      assert.equal(skipped.length, 1);
      return message;
    },
  },
  {
    name: "a text of one long line",
    memory: 700,
    seconds: 300,
    async run(context) {
      const length = context.size(40_000, 9_000_000);
      context.write({ "line.txt": "the cat sat on a mat ".repeat(length / 21) });
      const [item] = await context.corpus("line.txt");
      return context.withText(async (index) => {
        const { passages } = await index.add([item.document]);
        assert.ok(passages > length / 200);
        hits(await index.search("cat"), 1);
        return `${length} characters, ${passages} passages`;
      });
    },
  },
  {
    name: "a text of one long word",
    memory: 700,
    seconds: 300,
    async run(context) {
      // All its tokens are one and the same, so that assigning centroids grows faster than the text.
      const length = context.size(30_000, 1_000_000);
      return context.withText(async (index) => {
        const { passages } = await index.add([{ id: "word", text: "x".repeat(length) }]);
        return `${passages} passages, ${(await index.search("x".repeat(length))).hits.length} hits`;
      });
    },
  },
  {
    name: "invalid UTF-8, overlong forms, UTF-16",
    async run(context) {
      context.write({
        "bad.txt": Buffer.from([0x61, 0xff, 0xc0, 0xaf, 0xed, 0xa0, 0x80, 0x62]),
        "wide.txt": Buffer.from("\ufeffa heron", "utf16le"),
        "wide.jsonl": Buffer.from('\ufeff{"text":"x"}', "utf16le"),
      });
      const [bad] = await context.corpus("bad.txt");
      assert.ok(bad.replaced > 0 && bad.document.text.isWellFormed());
      assert.equal((await context.corpus("wide.txt"))[0].document.text, "a heron");
      return context.refused(context.corpus("wide.jsonl"), "INVALID_INPUT");
    },
  },
  {
    name: "NUL in texts and ids",
    run: (context) =>
      context.withVectors(async (index) => {
        await index.addEmbeddings([{ id: "a", vectors: ROW, text: "be\0fore" }]);
        assert.equal((await index.get("a")).text, "be\0fore");
        return context.refused(index.addEmbeddings([{ id: "a\0", vectors: ROW }]), "INVALID_DOCUMENT");
      }),
  },
  {
    name: "lone surrogates",
    run: (context) =>
      context.withVectors(async (index) => {
        const odd = {
          id: "a",
          vectors: ROW,
          text: "x\ud800y",
          title: "\udfff",
          metadata: { "\ud800": "\ud800" },
        };
        await index.addEmbeddings([odd]);
        const { text, title } = await index.get("a");
        assert.deepEqual([text, title], ["x\ufffdy", "\ufffd"]);
        return context.refused(index.addEmbeddings([{ id: "\ud800", vectors: ROW }]), "INVALID_DOCUMENT");
      }),
  },
  {
    name: "no tokens: empty, blank, no vectors",
    run: (context) =>
      context.withText(async (index) => {
        const { emptyPassages } = await index.add([
          { id: "empty", text: "" },
          { id: "blank", text: " \n\t\u3000 " },
          { id: "joiner", text: "\u200d\u200b" },
        ]);
        hits(await index.search("cat"), 0);
        await index.add([{ id: "cat", text: "cat" }]);
        await index.addEmbeddings([{ id: "none", vectors: [] }]);
        for (const id of ["empty", "blank", "none"]) assert.equal((await index.get(id)).id, id);
        assert.ok(hits(await index.search("cat", { k: 10 }), 1 + 3 - emptyPassages).includes("cat"));
        return `${emptyPassages} passages without tokens, never matched`;
      }),
  },
  {
    name: "many documents with one id",
    memory: 700,
    seconds: 300,
    async run(context) {
      const count = context.size(3000, 1_000_000);
      return context.withVectors(async (index) => {
        async function* same() {
          for (let i = 0; i < count; i++) yield { id: "same", vectors: ROW, text: String(i) };
        }
        try {
          await index.addEmbeddings(same());
        } catch (error) {
          assert.equal(error.code, "DUPLICATE_ID", error.stack);
          assert.equal(index.info().documents, 0);
          return `${error.code}: ${error.message.slice(0, 100)}`;
        }
        assert.equal(index.info().documents, 1);
        assert.equal((await index.get("same")).text, String(count - 1));
        return `${count} documents: the last one stays`;
      });
    },
  },
  {
    name: "many identical documents",
    memory: 1200,
    seconds: 400,
    async run(context) {
      const count = context.size(1500, 1_000_000);
      return context.withVectors(async (index) => {
        async function* alike() {
          for (let i = 0; i < count; i++) yield { id: `d${i}`, vectors: ROW };
        }
        await index.addEmbeddings(alike());
        for (const way of [{}, { effort: "exact" }, { exhaustiveTokens: 0 }]) {
          const ids = hits(await index.searchEmbeddings(ROW, { k: 5, ...way }), 5);
          assert.deepEqual(ids, ["d0", "d1", "d2", "d3", "d4"]);
        }
        return `${count} documents tie, the first ones win`;
      });
    },
  },
  {
    name: "an id of 1 MB",
    run: (context) =>
      context.withVectors((index) =>
        context.refused(index.addEmbeddings([{ id: "x".repeat(1 << 20), vectors: ROW }]), "INVALID_DOCUMENT"),
      ),
  },
  {
    name: "NaN, infinite, zero and huge vectors",
    run: (context) =>
      context.withVectors(async (index) => {
        await index.addEmbeddings([{ id: "a", vectors: ROW }]);
        for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]) {
          const vectors = new Float32Array(8).fill(value);
          await context.refused(index.addEmbeddings([{ id: "b", vectors }]), "INVALID_VECTOR");
          await context.refused(index.searchEmbeddings(vectors), "INVALID_VECTOR");
        }
        for (const value of [1e-30, 3e38, 1e-44]) {
          const vectors = new Float32Array(8).fill(value);
          const work = index.addEmbeddings([{ id: `v${value}`, vectors }]);
          await work.catch((error) => assert.equal(error.code, "INVALID_VECTOR", error.stack));
        }
        hits(await index.searchEmbeddings(ROW, { k: 50 }), index.info().documents);
        return context.refused(index.searchEmbeddings(new Float32Array(8 * 65).fill(1)), "INVALID_VECTOR");
      }),
  },
  {
    name: "metadata that is deep, cyclic, or no JSON",
    run: (context) =>
      context.withVectors(async (index) => {
        const cycle = {};
        cycle.self = cycle;
        const bad = [cycle, { a: 1n }, { a: Symbol("x") }, { a: () => 1 }, { a: Number.NaN }, [1], "text", 7];
        for (const metadata of bad) {
          await context.refused(
            index.addEmbeddings([{ id: "a", vectors: ROW, metadata }]),
            "INVALID_DOCUMENT",
          );
        }
        const proto = JSON.parse(
          '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
        );
        await index.addEmbeddings([{ id: "p", vectors: ROW, metadata: proto }]);
        await index.get("p");
        assert.equal({}.polluted, undefined);
        return context.refused(
          index.addEmbeddings([{ id: "a", vectors: ROW, metadata: nested(200_000) }]),
          "INVALID_DOCUMENT",
        );
      }),
  },
  {
    name: "JSONL: deep, no objects, duplicate keys, __proto__",
    async run(context) {
      const deep = `{"text":"x","metadata":${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}}`;
      context.write({
        "deep.jsonl": `${deep}\n`,
        "odd.jsonl": '{"text":"a","text":"b"}\n{"text":"c","__proto__":{"polluted":true}}\n',
        "not.jsonl": '[[[[]]]]\n7\n"x"\n{"text":7}\n',
      });
      const [first] = await context.corpus("deep.jsonl", { skipInvalid: true });
      const told = await context.withVectors(async (index) => {
        if (first.kind !== "document") return first.reason;
        const { metadata } = first.document;
        return context.refused(
          index.addEmbeddings([{ id: "a", vectors: ROW, metadata }]),
          "INVALID_DOCUMENT",
        );
      });
      assert.equal((await context.corpus("odd.jsonl")).length, 2);
      assert.equal({}.polluted, undefined);
      assert.equal((await context.corpus("not.jsonl", { skipInvalid: true })).length, 4);
      await context.refused(context.corpus("not.jsonl"), "INVALID_INPUT");
      return told.slice(0, 110);
    },
  },
  {
    name: "CSV: an open quote of 70 MB (1 MB in the short tier), 100,000 columns, NUL",
    memory: 700,
    seconds: 60,
    async run(context) {
      context.write({
        "open.csv": `id,text\n1,"${"x".repeat(context.size(1_000_000, 70_000_000))}\n`,
        "wide.csv": `text${",c".repeat(100_000)}\nx${",1".repeat(100_000)}\n`,
        "nul.csv": 'text\n"a\0b"\n\0\0\0\n',
      });
      await context.corpus("wide.csv");
      await context.corpus("nul.csv", { skipInvalid: true });
      return context.refused(context.corpus("open.csv"), "INVALID_INPUT");
    },
  },
  {
    name: "a gzip bomb",
    memory: 300,
    async run(context) {
      context.write({
        "bomb/bomb.gz": gzipSync(Buffer.alloc(64 << 20)),
        "bomb/bomb.txt.gz": gzipSync(Buffer.alloc(1 << 20)),
      });
      const items = await context.corpus("bomb");
      assert.deepEqual(
        items.map(({ kind }) => kind),
        ["skipped", "skipped"],
      );
      return items[0].reason;
    },
  },
  {
    name: "cyclic and escaping links, pipes, devices",
    async run(context) {
      mkdirSync(context.path("tree/inner"), { recursive: true });
      context.write({ "tree/a.txt": "a cat", "outside.txt": "secret" });
      symlinkSync("..", context.path("tree/inner/up"));
      symlinkSync("self", context.path("tree/self"));
      symlinkSync("../outside.txt", context.path("tree/out.txt"));
      symlinkSync("/dev/zero", context.path("tree/zero.txt"));
      symlinkSync("nowhere", context.path("tree/dangling.txt"));
      execFileSync("mkfifo", [context.path("tree/pipe.txt"), context.path("pipe.jsonl")]);
      const items = await context.corpus("tree");
      const documents = items.filter(({ kind }) => kind === "document");
      assert.deepEqual(
        documents.map(({ document }) => document.id),
        ["a.txt"],
      );
      for (const name of ["pipe.jsonl", "tree/zero.txt"]) {
        const [item] = await context.corpus(name);
        assert.equal(item.kind, "skipped");
      }
      return `${items.length - 1} skipped with a reason, 1 read`;
    },
  },
  {
    name: "a folder of many files",
    memory: 300,
    seconds: 300,
    async run(context) {
      const count = context.size(2000, 100_000);
      mkdirSync(context.path("many"));
      for (let i = 0; i < count; i++) writeFileSync(context.path(`many/${i}.txt`), "cat");
      assert.equal((await context.corpus("many")).length, count);
      return `${count} files read`;
    },
  },
  {
    name: "names: dots, newlines, 255 bytes, CON, %2e, invalid UTF-8",
    async run(context) {
      const names = [
        "..\\x.txt",
        "a\nb.txt",
        "%2e%2e%2fx.txt",
        "CON.txt",
        `${"n".repeat(251)}.txt`,
        "-rf.txt",
        "\u202e.txt",
      ];
      context.write(Object.fromEntries(names.map((name) => [`names/${name}`, "cat"])));
      writeFileSync(
        Buffer.concat([
          Buffer.from(`${context.path("names")}/`),
          Buffer.from([0xff, 0xfe]),
          Buffer.from(".txt"),
        ]),
        "cat",
      );
      const items = await context.corpus("names", { hidden: true });
      const documents = items.filter(({ kind }) => kind === "document").map(({ document }) => document);
      assert.equal(documents.length, names.length);
      return context.withText(async (index) => {
        await index.add(documents);
        for (const name of names) assert.equal((await index.get(name)).id, name);
        return `${names.length} ids kept, ${items.length - names.length} skipped: ${items.find(({ kind }) => kind === "skipped")?.reason}`;
      });
    },
  },
  ...[".md", ".html", ".rst", ".txt", ".py"].map((extension) => ({
    name: `repetitions as ${extension}`,
    memory: 800,
    seconds: 60,
    async run(context) {
      const length = context.size(4000, 100_000);
      let slowest = ["", 0];
      for (const part of REPEATED) {
        const start = performance.now();
        extractText(part.repeat(Math.ceil(length / part.length)), formatOf(`x${extension}`));
        const seconds = (performance.now() - start) / 1000;
        if (seconds > slowest[1]) slowest = [part, seconds];
        assert.ok(
          seconds < 10,
          `${JSON.stringify(part)} takes ${seconds.toFixed(1)} s for ${length} characters`,
        );
      }
      return `slowest of ${length} characters: ${JSON.stringify(slowest[0])}`;
    },
  })),
  {
    name: "repetitions through splitting and tokenizing",
    memory: 900,
    seconds: 300,
    async run(context) {
      const length = context.size(1500, 100_000);
      return context.withText(async (index) => {
        for (const part of REPEATED) {
          const text = part.repeat(Math.ceil(length / part.length));
          const start = performance.now();
          await index.add([{ id: part.replaceAll("\0", ""), text }]);
          if (text.trim() !== "") await index.search(text, { k: 1 });
          const seconds = (performance.now() - start) / 1000;
          assert.ok(
            seconds < 20,
            `${JSON.stringify(part)} takes ${seconds.toFixed(1)} s for ${length} characters`,
          );
        }
        return `${REPEATED.length} texts of ${length} characters`;
      });
    },
  },
  {
    name: "an input that fails in the middle",
    run: (context) =>
      context.withVectors(async (index) => {
        async function* failing() {
          yield { id: "a", vectors: ROW };
          throw new RangeError("the caller's own");
        }
        await assert.rejects(index.addEmbeddings(failing()), {
          name: "RangeError",
          message: "the caller's own",
        });
        assert.equal(index.info().generation, 0);
        return "the caller's error, and nothing is stored";
      }),
  },
  {
    name: "documents that are none",
    run: (context) =>
      context.withVectors(async (index) => {
        const failures = [];
        for (const input of [null, undefined, 7, "x", {}, [null], [7], ["x"], [[]]]) {
          for (const method of ["add", "addEmbeddings", "delete", "update"]) {
            try {
              await index[method]?.(input);
            } catch (error) {
              if (
                error.name !== "MaxsimError" ||
                error.code === "INTERNAL" ||
                error.code === "MODEL_NOT_FOUND"
              ) {
                failures.push(`${method}(${JSON.stringify(input)}): ${error}`);
              }
            }
          }
        }
        assert.deepEqual(failures, []);
        return "refused";
      }),
  },
  {
    name: "the command line: a pipe, a device, a bomb, an odd name",
    seconds: 60,
    async run(context) {
      context.write({
        "in/a.txt": "a cat",
        "in/b.gz": gzipSync(Buffer.alloc(8 << 20)),
        "in/n\nl.txt": "a dog",
      });
      execFileSync("mkfifo", [context.path("in/pipe")]);
      symlinkSync("/dev/zero", context.path("in/zero"));
      const run = (...args) =>
        spawnSync(process.execPath, [MAIN, ...args], {
          encoding: "utf8",
          timeout: 30_000,
          cwd: context.folder,
        });
      const built = run("index", "in", "--index", "out", "--model", context.model, "--json");
      assert.equal(built.status, 0, built.stderr);
      assert.equal(JSON.parse(built.stdout).documents, 2);
      const found = run("search", "cat", "--index", "out");
      assert.equal(found.status, 0, found.stderr);
      for (const [args, status] of [
        [["index", "/dev/zero", "--index", "never"], 1],
        [["index", "in/pipe", "--index", "never"], 1],
        [["search", "--index", "out"], 2],
      ]) {
        const { status: found, stderr } = run(...args);
        assert.equal(found, status, `${args.join(" ")}: ${stderr}`);
        assert.doesNotMatch(stderr, /\n {4}at /);
      }
      return "2 documents, the rest is skipped; devices are refused";
    },
  },
];

export const ROWS = new Map(rows.map((row) => [row.name, row]));
