// The demo: indexes the documentation of the installed packages and answers questions about it, offline.
//
//   npm run demo                                  four questions
//   npm run demo -- "question"                    a question of yours
//   npm run demo -- --path ~/notes "question"     about a folder of yours
//   npm run demo -- --rebuild                     build the index anew
//
// Exit status: 0 done, 1 failed or interrupted, 2 wrong usage.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Each shares few words with the text that answers it. */
const QUESTIONS = [
  "wait until all pending jobs are finished before exiting",
  "make text in the terminal colourful",
  "where should I report a security hole?",
  "fake the answers of a web service in tests",
];
const HITS = 3;

const USAGE = `usage: npm run demo -- [--path <folder>] [--rebuild] ["question" ...]
`;

if (!existsSync(join(root, "dist", "index.js"))) {
  console.error("error: the project is not built; run it as: npm run demo");
  process.exit(1);
}
const { isMaxsimError } = await import("../dist/index.js");
const { processContext } = await import("../dist/cli/context.js");
const { createColors } = await import("../dist/cli/render/color.js");
const { exitStatus, renderError } = await import("../dist/cli/render/error.js");
const { formatBytes, formatDuration, formatNumber } = await import("../dist/cli/render/format.js");
const { renderHits } = await import("../dist/cli/render/results.js");
const { ownDocs, packageDocs } = await import("./lib/demo-corpus.mjs");
const { openOrBuild } = await import("./lib/demo-index.mjs");

const context = processContext();
const colors = createColors(context.stdout, context.env);
const print = (/** @type {string} */ text) => context.stdout.write(text);

/** @returns {{path?: string, rebuild: boolean, questions: string[]} | undefined} undefined after wrong usage */
function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        path: { type: "string" },
        rebuild: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      print(USAGE);
      process.exit(0);
    }
    const questions = positionals.filter((text) => text.trim() !== "");
    return { ...values, rebuild: values.rebuild, questions };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    context.stderr.write(`error: ${error.message}\n${USAGE}`);
    return undefined;
  }
}

/** A folder of its own for each path, with a name that says which. @param {string | undefined} path */
function indexFolder(path) {
  if (path === undefined) return join(root, "index-data", "demo");
  const full = resolve(path);
  const hash = createHash("sha256").update(full).digest("hex").slice(0, 8);
  return join(root, "index-data", `demo-${basename(full).replace(/[^\w.-]/g, "_")}-${hash}`);
}

/** @param {import("../dist/index.js").Index} index @param {string} question @param {string} base */
async function ask(index, question, base) {
  const started = performance.now();
  const { hits } = await index.search(question, { k: HITS, signal: context.signal });
  const milliseconds = performance.now() - started;
  const shown = hits.map((hit) => ({
    ...hit,
    where: `${relative(base, hit.source?.path ?? hit.id)}:${hit.source?.line ?? hit.passage.lineStart}`,
    snippet: {
      ...hit.snippet,
      leadingEllipsis: hit.snippet.cutBefore,
      trailingEllipsis: hit.snippet.cutAfter,
    },
  }));
  print(`\n${colors.bold(`? ${question}`)}  ${colors.dim(`${milliseconds.toFixed(0)} ms`)}\n\n`);
  print(renderHits(shown, { colors, width: Math.min(context.stdout.columns ?? 100, 110) }));
}

/** @param {{path?: string, rebuild: boolean, questions: string[]}} options */
async function main({ path, rebuild, questions }) {
  const folder = indexFolder(path);
  const corpus = path === undefined ? packageDocs(root) : await ownDocs(path);
  const started = performance.now();
  context.stderr.write(`${corpus.what}\n`);
  const { index, reused } = await openOrBuild(folder, corpus, { rebuild, context });
  try {
    const seconds = (performance.now() - started) / 1000;
    const { documents, passages, tokens, bytes } = index.info();
    const size = formatBytes(bytes.catalog + bytes.codec + bytes.segments);
    print(
      `${reused ? "opened" : "indexed"} ${formatNumber(documents)} documents, ${formatNumber(passages)} passages, ` +
        `${formatNumber(tokens)} token vectors in ${formatDuration(seconds)}\n` +
        `index: ${relative(".", folder) || "."} (${size})${reused ? ", whole and up to date; --rebuild builds it anew" : ""}\n`,
    );
    const asked = questions.length > 0 || path !== undefined ? questions : QUESTIONS;
    for (const question of asked) await ask(index, question, path === undefined ? root : ".");
    print(next(path));
  } finally {
    await index.close();
  }
}

/** @param {string | undefined} path */
function next(path) {
  const own = path ?? "~/notes";
  return [
    "",
    "Ask your own:",
    ...(path === undefined ? ['  npm run demo -- "your question"'] : []),
    `  npm run demo -- --path ${/\s/.test(own) ? JSON.stringify(own) : own} "your question"`,
    "The command line has more: node dist/cli/main.js --help",
    "",
  ].join("\n");
}

const options = readArguments();
if (options === undefined) {
  process.exitCode = 2;
} else {
  try {
    await main(options);
  } catch (error) {
    if (!isMaxsimError(error)) throw error;
    context.stderr.write(renderError(error, context));
    process.exitCode = exitStatus(error);
  }
}
