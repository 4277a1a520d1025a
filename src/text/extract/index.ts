/** Which extractor reads which file. */
import type { ExtractedText } from "../types.js";
import { CODE_EXTENSIONS, extractCode } from "./code.js";
import { extractHtml } from "./html.js";
import { extractMarkdown } from "./markdown.js";
import { extractPlain } from "./plain.js";
import { extractRst } from "./rst.js";

export type TextFormat = "plain" | "markdown" | "rst" | "html" | "code";

const FORMATS: ReadonlyMap<string, TextFormat> = new Map([
  ["md", "markdown"],
  ["mdx", "markdown"],
  ["markdown", "markdown"],
  ["mdown", "markdown"],
  ["mkd", "markdown"],
  ["rst", "rst"],
  ["rest", "rst"],
  ["html", "html"],
  ["htm", "html"],
  ["xhtml", "html"],
  ...[...CODE_EXTENSIONS].map((extension) => [extension, "code"] as const),
]);

/** The format that the extension of a path tells, in any case; plain text for an unknown one. */
export function formatOf(path: string): TextFormat {
  const name = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
  const dot = name.lastIndexOf(".");
  return dot < 0 ? "plain" : (FORMATS.get(name.slice(dot + 1).toLowerCase()) ?? "plain");
}

const EXTRACTORS: Readonly<Record<TextFormat, (source: string) => ExtractedText>> = {
  plain: extractPlain,
  code: extractCode,
  markdown: extractMarkdown,
  rst: extractRst,
  html: extractHtml,
};

/** Clean text, blocks, source lines and, where the format tells, title and metadata. Never throws on odd input. */
export function extractText(source: string, format: TextFormat): ExtractedText {
  return EXTRACTORS[format](source);
}
