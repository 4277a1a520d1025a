/** Source code: stays as it is; blocks are the chunks that blank lines before unindented lines separate. */
import { findParagraphs } from "../blocks.js";
import type { ExtractedText, TextBlock } from "../types.js";
import { normalizeNewlines } from "./plain.js";

/** Extensions, without the dot, of files that are read as code or configuration. */
export const CODE_EXTENSIONS: ReadonlySet<string> = new Set(
  (
    "js mjs cjs jsx ts mts cts tsx py pyi rb go rs c h cc cpp cxx hh hpp hxx cu java kt kts scala swift cs fs php pl pm " +
    "lua r jl hs ml mli ex exs erl clj dart zig nim sh bash zsh fish ps1 sql proto graphql css scss less vue svelte " +
    "json jsonc json5 yaml yml toml ini cfg conf xml cmake gradle mk tf nix"
  ).split(" "),
);

export function extractCode(source: string): ExtractedText {
  const text = normalizeNewlines(source);
  const blocks: TextBlock[] = [];
  for (const { start, end } of findParagraphs(text)) {
    const last = blocks.at(-1);
    // A chunk whose first line is indented belongs to the declaration above it.
    const indented = start > 0 && text.charCodeAt(start - 1) !== 0x0a;
    if (last !== undefined && indented) blocks[blocks.length - 1] = { ...last, end };
    else blocks.push({ kind: "code", start, end });
  }
  return { text, blocks, lines: [{ offset: 0, line: 1 }] };
}
