/** Plain text: stays as it is, but for line ends. */
import { findParagraphs } from "../blocks.js";
import type { ExtractedText } from "../types.js";

/** CR LF and lone CR become LF; a byte order mark goes. Line numbers stay what editors show. */
export function normalizeNewlines(source: string): string {
  const text = source.charCodeAt(0) === 0xfeff ? source.slice(1) : source;
  return text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
}

/** Blocks are the paragraphs between blank lines. */
export function extractPlain(source: string): ExtractedText {
  const text = normalizeNewlines(source);
  return { text, blocks: findParagraphs(text), lines: [{ offset: 0, line: 1 }] };
}
