/**
 * Source code: stays as it is. Of the languages whose definitions are found, blocks are definitions; of others, and of
 * configuration, the chunks that blank lines before unindented lines separate. The title is the name of the file.
 */
import { findParagraphs } from "../blocks.js";
import { codeBlocks } from "../code/blocks.js";
import { languageOf } from "../code/languages.js";
import type { ExtractedText, TextBlock } from "../types.js";
import { normalizeNewlines } from "./plain.js";

/** @param path its extension tells the language, and its last part is the title; "" for neither. */
export function extractCode(source: string, path = ""): ExtractedText {
  const text = normalizeNewlines(source);
  const name = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
  const language = languageOf(name.slice(name.lastIndexOf(".") + 1).toLowerCase());
  return {
    text,
    blocks: language === undefined ? findChunks(text) : codeBlocks(text, language),
    lines: [{ offset: 0, line: 1 }],
    ...(name === "" ? {} : { title: name }),
  };
}

function findChunks(text: string): TextBlock[] {
  const blocks: TextBlock[] = [];
  for (const { start, end } of findParagraphs(text)) {
    const last = blocks.at(-1);
    // A chunk whose first line is indented belongs to the declaration above it.
    const indented = start > 0 && text.charCodeAt(start - 1) !== 0x0a;
    if (last !== undefined && indented) blocks[blocks.length - 1] = { ...last, end };
    else blocks.push({ kind: "code", start, end });
  }
  return blocks;
}
