/** Small Word documents, EPUB books and notebooks. */
import { strToU8, type Zippable, zipSync } from "fflate";

const W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"';
const RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';

export interface WordParagraph {
  readonly text: string;
  /** Such as "Heading1" or "Title". */
  readonly style?: string;
  /** Cells of a row of a table, instead of the text. */
  readonly cells?: readonly string[];
}

/** Bytes of a .docx with these paragraphs; rows of a table that follow each other make one table. */
export function docxFile(
  paragraphs: readonly (string | WordParagraph)[],
  more: Zippable = {},
): Uint8Array<ArrayBuffer> {
  const body = paragraphs.map((entry) => {
    const { text, style, cells } = typeof entry === "string" ? { text: entry } : entry;
    if (cells !== undefined) {
      const row = cells.map((cell) => `<w:tc>${paragraph(cell)}</w:tc>`).join("");
      return `<w:tbl><w:tr>${row}</w:tr></w:tbl>`;
    }
    return paragraph(text, style);
  });
  const styles = ["Title", "Subtitle", "Heading 1", "Heading 2", "Heading 3"].map(
    (name) =>
      `<w:style w:type="paragraph" w:styleId="${name.replace(" ", "")}"><w:name w:val="${name}"/></w:style>`,
  );
  return zip({
    "[Content_Types].xml": strToU8(
      `${XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>' +
        '<Default Extension="xml" ContentType="application/xml"/>' +
        '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>' +
        "</Types>",
    ),
    "_rels/.rels": strToU8(
      `${XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
        `<Relationship Id="r1" Type="${RELATIONS}/officeDocument" Target="word/document.xml"/></Relationships>`,
    ),
    "word/_rels/document.xml.rels": strToU8(
      `${XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
        `<Relationship Id="r1" Type="${RELATIONS}/styles" Target="styles.xml"/></Relationships>`,
    ),
    "word/styles.xml": strToU8(`${XML}<w:styles ${W}>${styles.join("")}</w:styles>`),
    "word/document.xml": strToU8(`${XML}<w:document ${W}><w:body>${body.join("")}</w:body></w:document>`),
    ...more,
  });
}

function paragraph(text: string, style?: string): string {
  const properties = style === undefined ? "" : `<w:pPr><w:pStyle w:val="${style}"/></w:pPr>`;
  return `<w:p>${properties}<w:r><w:t xml:space="preserve">${escapeXml(text)}</w:t></w:r></w:p>`;
}

export interface Book {
  readonly title?: string;
  readonly author?: string;
  /** Bodies of the chapters, as XHTML. */
  readonly chapters: readonly string[];
}

/** Bytes of an EPUB; `more` adds and replaces files of its archive. */
export function epubFile({ title, author, chapters }: Book, more: Zippable = {}): Uint8Array<ArrayBuffer> {
  const items = chapters.map(
    (_, i) => `<item id="c${i}" href="text/ch%20${i + 1}.xhtml" media-type="application/xhtml+xml"/>`,
  );
  const refs = chapters.map((_, i) => `<itemref idref="c${i}"/>`);
  const files: Zippable = {
    mimetype: strToU8("application/epub+zip"),
    "META-INF/container.xml": strToU8(
      `${XML}<container><rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>`,
    ),
    "OEBPS/book.opf": strToU8(
      `${XML}<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>` +
        (title === undefined ? "" : `<dc:title>${escapeXml(title)}</dc:title>`) +
        (author === undefined ? "" : `<dc:creator>${escapeXml(author)}</dc:creator>`) +
        '<dc:language>en</dc:language></metadata><manifest><item id="css" href="a.css" media-type="text/css"/>' +
        `${items.join("")}</manifest><spine>${refs.join("")}</spine></package>`,
    ),
  };
  chapters.forEach((chapter, i) => {
    files[`OEBPS/text/ch ${i + 1}.xhtml`] = strToU8(
      `${XML}<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body>${chapter}</body></html>`,
    );
  });
  return zip({ ...files, ...more });
}

/** A notebook of format 4; a cell is its kind and its source. */
export function notebookFile(
  cells: readonly (readonly [kind: string, source: string | readonly string[]])[],
): string {
  return JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: "python3", language: "python" } },
    cells: cells.map(([kind, source]) => ({
      ...{ cell_type: kind, metadata: {}, source },
      ...(kind === "code"
        ? { execution_count: 1, outputs: [{ output_type: "stream", text: ["printed"] }] }
        : {}),
    })),
  });
}

function zip(files: Zippable): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(zipSync(files));
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
