/**
 * EPUB books: the XHTML files of the reading order, one after another. Positions are their numbers in that order, from 1, which
 * readers call chapters.
 */
import { posix } from "node:path";
import type { JsonValue } from "../../common/json.js";
import { decodeText } from "../decode.js";
import type { ExtractedText } from "../types.js";
import { UnreadableFile } from "../unreadable.js";
import { TextBuilder } from "./builder.js";
import { extractHtml } from "./html.js";
import { readXml, type XmlElement } from "./xml.js";
import { ZipReader } from "./zip.js";

const CONTAINER = "META-INF/container.xml";
const ENCRYPTION = "META-INF/encryption.xml";
const MAX_CHAPTERS = 20_000;

/**
 * Title and metadata (`author`, `language`) are those of the book. Errors: UnreadableFile for what is no EPUB, is damaged or
 * protected, or has more text than is read.
 */
export function extractEpub(bytes: Buffer): ExtractedText {
  const zip = new ZipReader(bytes);
  const path = packagePath(zip);
  const elements = readXml(textOf(zip, path), path);
  const encrypted = encryptedPaths(zip);
  const output = new TextBuilder();
  const chapters = readingOrder(elements, path);
  if (chapters.length === 0) throw new UnreadableFile("the book has no chapters: its spine is empty");
  if (chapters.length > MAX_CHAPTERS) {
    throw new UnreadableFile(`the book has ${chapters.length} chapters, at most ${MAX_CHAPTERS} are read`);
  }
  if (!chapters.some((chapter) => zip.has(chapter))) {
    throw new UnreadableFile(`the book is damaged: no file of its spine is there, such as ${chapters[0]}`);
  }
  chapters.forEach((chapter, i) => {
    if (encrypted.has(chapter)) throw new UnreadableFile(`the book is protected: ${chapter} is encrypted`);
    if (!zip.has(chapter)) return;
    const { text, blocks } = extractHtml(textOf(zip, chapter));
    for (const { kind, start, end, level } of blocks) output.add(kind, text.slice(start, end), i + 1, level);
  });
  const authors = valuesOf(elements, "creator");
  const language = valuesOf(elements, "language")[0];
  const metadata: Record<string, JsonValue> = {
    ...(authors.length === 0 ? {} : { author: authors.join(", ") }),
    ...(language === undefined ? {} : { language }),
  };
  return output.finish(valuesOf(elements, "title")[0], metadata);
}

function textOf(zip: ZipReader, name: string): string {
  const bytes = zip.read(name);
  if (bytes === undefined) throw new UnreadableFile(`the book is damaged: ${name} is missing`);
  return decodeText(bytes, name).text;
}

/** Path of the package document, which the container names. */
function packagePath(zip: ZipReader): string {
  if (!zip.has(CONTAINER)) throw new UnreadableFile(`it is no EPUB: ${CONTAINER} is missing`);
  const roots = readXml(textOf(zip, CONTAINER), CONTAINER).filter(({ name }) => name === "rootfile");
  const path = roots.map(({ attributes }) => attributes.get("full-path")).find((full) => full !== undefined);
  if (path === undefined) throw new UnreadableFile(`it is no EPUB: ${CONTAINER} names no package document`);
  return path;
}

/** Paths of the XHTML files of the spine, in its order. */
function readingOrder(elements: readonly XmlElement[], packageDocument: string): string[] {
  const items = new Map<string, string>();
  for (const { name, attributes } of elements) {
    const id = attributes.get("id");
    const href = attributes.get("href");
    const isText = /html/i.test(attributes.get("media-type") ?? "");
    if (name === "item" && id !== undefined && href !== undefined && isText) items.set(id, href);
  }
  const folder = posix.dirname(packageDocument);
  return elements.flatMap(({ name, attributes }) => {
    const href = name === "itemref" ? items.get(attributes.get("idref") ?? "") : undefined;
    return href === undefined ? [] : [posix.normalize(posix.join(folder, unescapeHref(href)))];
  });
}

/** Files of the archive that are encrypted. Fonts may be: that is no protection of the text. */
function encryptedPaths(zip: ZipReader): Set<string> {
  if (!zip.has(ENCRYPTION)) return new Set();
  return new Set(
    readXml(textOf(zip, ENCRYPTION), ENCRYPTION).flatMap(({ name, attributes }) => {
      const uri = name === "cipherreference" ? attributes.get("uri") : undefined;
      return uri === undefined ? [] : [posix.normalize(unescapeHref(uri))];
    }),
  );
}

function unescapeHref(href: string): string {
  const path = href.split("#")[0]!;
  // A stray percent sign is one.
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (escaped) =>
    Buffer.from(escaped.replaceAll("%", ""), "hex").toString(),
  );
}

/** Texts of the elements of the book's own metadata that have this name. */
function valuesOf(elements: readonly XmlElement[], name: string): string[] {
  return elements
    .filter((element) => element.name === name && element.path.includes("metadata"))
    .map(({ text }) => text.replace(/\s+/gu, " ").trim())
    .filter((text) => text !== "");
}
