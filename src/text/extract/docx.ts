/**
 * Word documents, through mammoth: text with its headings, lists and tables. Positions are paragraphs, as Word counts them: its
 * files do not know their pages.
 */
import { zipSync } from "fflate";
import { importOptional } from "../../common/optional-package.js";
import { decodeText } from "../decode.js";
import type { ExtractedText } from "../types.js";
import { damaged, UnreadableFile } from "../unreadable.js";
import { extractHtml } from "./html.js";
import { readXml } from "./xml.js";
import { ZipReader } from "./zip.js";

/** Parts that carry text or say what it is. Pictures, fonts and macros are never unpacked. */
const PARTS = /^(?:\[Content_Types\]\.xml|_rels\/|word\/(?:_rels\/)?[^/]+$).*/;
const PART_KINDS = /\.(?:xml|rels)$/i;
const CORE = "docProps/core.xml";

/** The whole file is not one: encrypted Word files are of the older compound format. */
const COMPOUND_FILE = "d0cf11e0a1b11ae1";

/** Styles that are headings beside those that mammoth knows. */
const STYLES = ["p[style-name='Title'] => h1:fresh", "p[style-name='Subtitle'] => p:fresh"];

/**
 * Title: the first heading of the highest level, else the one of the document's properties. Metadata: `author`.
 * Errors: UnreadableFile; PACKAGE_MISSING.
 */
export async function extractDocx(bytes: Buffer): Promise<ExtractedText> {
  if (bytes.toString("hex", 0, 8) === COMPOUND_FILE) {
    throw new UnreadableFile("it is encrypted, or a document of the old .doc format");
  }
  const zip = new ZipReader(bytes);
  const { default: mammoth } = await importOptional(
    "mammoth",
    "reading Word documents",
    () => import("mammoth"),
  );
  const buffer = textParts(zip);
  let html: string;
  try {
    const converted = await mammoth.convertToHtml(
      { buffer },
      {
        styleMap: STYLES,
        includeEmbeddedStyleMap: false,
        ignoreEmptyParagraphs: false,
        externalFileAccess: false,
        convertImage: mammoth.images.imgElement(async () => ({ src: "" })),
      },
    );
    html = converted.value;
  } catch (error) {
    throw damaged("the document", error);
  }
  const { title, author } = properties(zip);
  const extracted = extractHtml(numberParagraphs(html));
  const known = extracted.title ?? title;
  return {
    ...extracted,
    ...(known === undefined ? {} : { title: known }),
    ...(author === undefined ? {} : { metadata: { author } }),
  };
}

/**
 * A line of its own for each paragraph, so that line n of the HTML is paragraph n. The line break stands in the tag, where it is
 * no white space of the text.
 */
function numberParagraphs(html: string): string {
  let count = 0;
  return html
    .replace(/[\r\n]+/g, " ")
    .replace(/<(p|h[1-6]|li)>/g, (_, name: string) => (count++ === 0 ? `<${name}>` : `<${name}\n>`));
}

/** An archive of the parts that matter, unpacked within the limits, so that mammoth unpacks nothing itself. */
function textParts(zip: ZipReader): Buffer {
  const parts: Record<string, Uint8Array> = {};
  for (const name of zip.names()) {
    if (!PARTS.test(name) || !PART_KINDS.test(name)) continue;
    const part = zip.read(name)!;
    // The parser of mammoth is not to be tried with entities.
    if (/<!(?:DOCTYPE|ENTITY)/i.test(part.toString("latin1"))) {
      throw new UnreadableFile(`${name} declares a document type, which Word documents do not`);
    }
    parts[name] = part;
  }
  if (Object.keys(parts).length === 0)
    throw new UnreadableFile("it is no Word document: it has no part with text");
  return Buffer.from(zipSync(parts, { level: 0 }));
}

function properties(zip: ZipReader): {
  readonly title?: string | undefined;
  readonly author?: string | undefined;
} {
  const bytes = zip.read(CORE);
  if (bytes === undefined) return {};
  const elements = readXml(decodeText(bytes, CORE).text, CORE);
  const value = (wanted: string): string | undefined =>
    elements.find(({ name, text }) => name === wanted && text.trim() !== "")?.text.trim();
  return { title: value("title"), author: value("creator") };
}
