/** The import rules of the source tree: layers only look down, and some things have one place. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const LAYERS = [
  ["common"],
  ["kernels", "storage", "text"],
  ["models", "codec", "lexical", "documents"],
  ["search", "indexing", "workers"],
  ["engine", "rerank", "datasets", "evaluation"],
  ["server", "mcp", "integrations", "distillation"],
  ["cli"],
];

/** Imports between folders of one layer: importer, then what it may import. */
const SIDEWAYS: Readonly<Record<string, readonly string[]>> = {
  search: ["indexing"],
  workers: ["search", "indexing"],
  documents: ["lexical"],
  datasets: ["evaluation"],
  engine: ["datasets", "rerank"],
};

/** What has one place: the uses that a pattern matches, and the files (paths below src) that may have them. */
const PLACES: ReadonlyArray<{ readonly what: string; readonly uses: RegExp; readonly files: RegExp }> = [
  { what: "native-bindings", uses: /native-bindings/, files: /^kernels\// },
  {
    what: "the network",
    uses: /^(import node:(http|https|http2|net|tls)|global fetch)$/,
    files: /^(models\/hub|rerank\/http\.ts$|server\/)/,
  },
  { what: "onnxruntime-node", uses: /^import onnxruntime-node$/, files: /^models\/session\.ts$/ },
  { what: "SQLite", uses: /^import better-sqlite3$/, files: /^(storage|documents|lexical)\// },
  {
    what: "the process's arguments and output",
    uses: /^(global console|process\.(argv|stdin|stdout|stderr))$/,
    files: /^(cli|server)\//,
  },
  {
    what: "files in layers that only compute",
    uses: /^import node:fs(\/promises)?$/,
    files: /^(?!(common|codec|search|indexing|evaluation)\/)|^common\/version\.ts$/,
  },
];

const MAX_LINES = 400;

/** `import X` for every module specifier, `global X` and `process.X` for names, and string literals as they are. */
function usesOf(path: string, text: string): string[] {
  const uses: string[] = [];
  const visit = (node: ts.Node, parent: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) {
      const called =
        ts.isCallExpression(parent) && node === parent.arguments[0] ? parent.expression : undefined;
      const loads = called?.kind === ts.SyntaxKind.ImportKeyword || called?.getText(file) === "require";
      const imports = loads || ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent);
      uses.push(imports ? `import ${node.text}` : node.text);
    } else if (ts.isIdentifier(node) && !(ts.isPropertyAccessExpression(parent) && parent.name === node)) {
      uses.push(`global ${node.text}`);
    } else if (ts.isPropertyAccessExpression(node) && node.expression.getText(file) === "process") {
      uses.push(`process.${node.name.text}`);
    } else if (ts.isBindingElement(node) && node.parent.parent.getText(file).endsWith("= process")) {
      uses.push(`process.${node.getText(file).split(":")[0]}`);
    }
    ts.forEachChild(node, (child) => visit(child, node));
  };
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  visit(file, file);
  return uses;
}

/** The broken rules of one file, as sentences. `path` is below src, with forward slashes. */
function violations(path: string, text: string): string[] {
  const found: string[] = [];
  const folder = folderOf(path);
  const layer = LAYERS.findIndex((folders) => folders.includes(folder));
  if (layer < 0 && path !== "index.ts") found.push(`${path}: no layer has a folder ${folder}`);
  const uses = usesOf(path, text);
  for (const specifier of uses.flatMap((use) => /^import (\.\.?\/.*)$/.exec(use)?.[1] ?? [])) {
    const target = folderOf(join(path, "..", specifier).replaceAll("\\", "/"));
    const below = LAYERS.slice(0, layer).some((folders) => folders.includes(target));
    const allowed = target === folder || below || (SIDEWAYS[folder] ?? []).includes(target);
    if (!allowed && path !== "index.ts") found.push(`${path}: ${folder} must not import ${specifier}`);
  }
  for (const place of PLACES) {
    const use = uses.find((candidate) => place.uses.test(candidate));
    if (use !== undefined && !place.files.test(path))
      found.push(`${path}: not the place for ${place.what} (${use})`);
  }
  const lines = text.split("\n").length - 1;
  if (lines > MAX_LINES) found.push(`${path}: ${lines} lines, more than ${MAX_LINES}`);
  return found;
}

function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : "";
}

describe("architecture", () => {
  it("holds in every source file", () => {
    const root = fileURLToPath(new URL("../src/", import.meta.url));
    const paths = readdirSync(root, { recursive: true, encoding: "utf8" })
      .map((path) => path.replaceAll("\\", "/"))
      .filter((path) => path.endsWith(".ts"));
    expect(paths.length).toBeGreaterThan(20);
    expect(paths.flatMap((path) => violations(path, readFileSync(join(root, path), "utf8")))).toEqual([]);
  });

  it.each([
    ["search/a.ts", 'import { x } from "../engine/index.js";', /search must not import/],
    ["search/a.ts", 'import type { X } from "../workers/pool.js";', /search must not import/],
    ["indexing/a.ts", 'export { x } from "../search/search.js";', /indexing must not import/],
    ["models/dialects/a.ts", 'const x = await import("../../workers/pool.js");', /models must not import/],
    ["common/a.ts", 'import { x } from "../index.js";', /common must not import/],
    [
      "codec/a.ts",
      'const addon = "../../native-bindings/build/Release/x.node";',
      /place for native-bindings/,
    ],
    ["datasets/a.ts", 'import { Index } from "../engine/index.js";', /datasets must not import/],
    ["engine/a.ts", "const answer = await fetch(url);", /place for the network/],
    ["models/session.ts", 'import http from "node:https";', /place for the network/],
    ["workers/a.ts", 'const ort = require("onnxruntime-node");', /place for onnxruntime-node/],
    ["engine/a.ts", 'import Database from "better-sqlite3";', /place for SQLite/],
    ["engine/a.ts", 'console.log("x");', /place for the process/],
    ["models/a.ts", "const { argv } = process;", /place for the process/],
    ["text/a.ts", "process.stdout.write(text);", /place for the process/],
    ["codec/a.ts", 'import { readFileSync } from "node:fs";', /place for files/],
    ["plugins/a.ts", "", /no layer has a folder plugins/],
  ])("finds what is planted: %s %j", (path, text, expected) => {
    expect(violations(path, text)).toEqual([expect.stringMatching(expected)]);
  });

  it("finds long files", () => {
    expect(violations("common/a.ts", "\n".repeat(MAX_LINES))).toEqual([]);
    expect(violations("common/a.ts", "\n".repeat(MAX_LINES + 1))).toEqual([
      expect.stringMatching(/401 lines/),
    ]);
  });

  it.each([
    ["workers/a.ts", 'import { x } from "../search/scorer.js";'],
    ["search/a.ts", 'import { x } from "../indexing/segment.js"; import { y } from "./rank.js";'],
    ["engine/a.ts", 'import { readCorpus } from "../datasets/corpus.js";'],
    ["index.ts", 'export { Index } from "./engine/index.js";'],
    ["models/hub.ts", "const answer = await fetch(url);"],
    ["codec/a.ts", "// console.log in a comment, and cache.fetch() of an object\ncache.fetch();"],
    ["cli/main.ts", "process.exitCode = await run(process.argv.slice(2));"],
  ])("lets pass what is allowed: %s %j", (path, text) => {
    expect(violations(path, text)).toEqual([]);
  });
});
