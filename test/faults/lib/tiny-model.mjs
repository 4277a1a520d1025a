/** `test/support/tiny-model.ts` for programs that run without a TypeScript loader: compiled on the spot, over dist/. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";

const source = new URL("../../support/tiny-model.ts", import.meta.url);
const dist = new URL("../../../dist/", import.meta.url).href;

async function load() {
  const text = readFileSync(source, "utf8").replaceAll('"../../src/', `"${dist}`);
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2022,
      verbatimModuleSyntax: true,
    },
  });
  const folder = mkdtempSync(join(tmpdir(), "maxsim-tiny-model-"));
  try {
    const file = join(folder, "tiny-model.mjs");
    writeFileSync(file, outputText);
    return await import(pathToFileURL(file).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const CONFIG = {
  query_length: 8,
  document_length: 16,
  do_query_expansion: false,
  query_prefix: "[Q] ",
  document_prefix: "[D] ",
  mask_token_id: 4,
  pad_token_id: 0,
  do_lower_case: true,
};

/**
 * Writes a real model of some hundred bytes: passages of at most 16 tokens, vectors of dimension `dim`.
 * @param {string} folder which exists.
 */
export async function writeTinyModel(folder, dim = 8) {
  const { writeTinyModel: write } = await load();
  await write(folder, { "onnx_config.json": { ...CONFIG, embedding_dim: dim } }, { dim });
}
