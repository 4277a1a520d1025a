/** Which extractor reads which format of text. */
import type { TextFormat } from "../formats.js";
import type { ExtractedText } from "../types.js";
import { extractCode } from "./code.js";
import { extractHtml } from "./html.js";
import { extractMarkdown } from "./markdown.js";
import { extractPlain } from "./plain.js";
import { extractRst } from "./rst.js";

export { formatOf, type TextFormat } from "../formats.js";

const EXTRACTORS: Readonly<Record<TextFormat, (source: string, path?: string) => ExtractedText>> = {
  plain: extractPlain,
  code: extractCode,
  markdown: extractMarkdown,
  rst: extractRst,
  html: extractHtml,
};

/**
 * Clean text, blocks, source lines and, where the format tells, title and metadata. Never throws on odd input.
 * @param path where the source came from: it tells the language of code, and the name that stands over its passages.
 */
export function extractText(source: string, format: TextFormat, path?: string): ExtractedText {
  return EXTRACTORS[format](source, path);
}
