/** PDF files, through pdf.js (unpdf): their text, page by page. No fonts, no scripts, no network. Positions are pages. */
import { setImmediate } from "node:timers/promises";
import { throwIfAborted } from "../../common/abort.js";
import type { JsonValue } from "../../common/json.js";
import { importOptional } from "../../common/optional-package.js";
import type { ExtractedText } from "../types.js";
import { damaged, UnreadableFile } from "../unreadable.js";
import { layoutPdf, linesOfRuns, type PdfLine, type PdfRun } from "./pdf-layout.js";

const MAX_PAGES = 10_000;
/** UTF-16 code units of all pages. */
const MAX_CHARACTERS = 100_000_000;

/** Nothing of a page is drawn or evaluated, and nothing fetched: only its text is wanted. */
const SETTINGS = {
  isEvalSupported: false,
  disableFontFace: true,
  useSystemFonts: false,
  useWorkerFetch: false,
  enableXfa: false,
  // Errors alone; warnings would be printed.
  verbosity: 0,
} as const;

/** Of the titles in PDF files, many are names of the files that they were made from. */
const NO_TITLE = /^(?:untitled|microsoft word\b.*|.*\.(?:docx?|pdf|tex|dvi|indd|qxd|pptx?|rtf|odt))$/i;

type Unpdf = typeof import("unpdf");
type PdfDocument = Awaited<ReturnType<Unpdf["getDocumentProxy"]>>;

/**
 * Title: the document's, where it looks like one, else the largest line of the first pages. Metadata: `author` and `pages`.
 * Errors: UnreadableFile for a damaged or encrypted file, one without text, or with more than is read; PACKAGE_MISSING, ABORTED.
 */
export async function extractPdf(bytes: Buffer, signal?: AbortSignal): Promise<ExtractedText> {
  const { getDocumentProxy } = await importOptional<Unpdf>(
    "unpdf",
    "reading PDF files",
    () => import("unpdf"),
  );
  let pdf: PdfDocument;
  try {
    // pdf.js takes the bytes for itself.
    pdf = await getDocumentProxy(new Uint8Array(bytes), SETTINGS);
  } catch (error) {
    if (error instanceof Error && error.name === "PasswordException") {
      throw new UnreadableFile("the PDF is encrypted: it needs a password", { cause: error });
    }
    throw damaged("the PDF", error);
  }
  try {
    return await readPages(pdf, signal);
  } finally {
    await pdf.destroy();
  }
}

async function readPages(pdf: PdfDocument, signal: AbortSignal | undefined): Promise<ExtractedText> {
  const { numPages } = pdf;
  if (numPages > MAX_PAGES) {
    throw new UnreadableFile(`the PDF has ${numPages} pages, at most ${MAX_PAGES} are read`);
  }
  const pages: PdfLine[][] = [];
  let characters = 0;
  for (let number = 1; number <= numPages; number++) {
    // pdf.js works in this thread; here a signal can come in.
    await setImmediate();
    throwIfAborted(signal, "reading the corpus");
    const lines = linesOfRuns(await runsOf(pdf, number));
    for (const { text } of lines) characters += text.length;
    if (characters > MAX_CHARACTERS) {
      throw new UnreadableFile(`the PDF has more than ${MAX_CHARACTERS} characters`);
    }
    pages.push(lines);
  }
  if (characters === 0) {
    const count = numPages === 1 ? "1 page" : `${numPages} pages`;
    throw new UnreadableFile(
      `the PDF has no text on its ${count}: scanned pages need text recognition first`,
    );
  }
  const { title, author } = await labelsOf(pdf);
  const metadata: Record<string, JsonValue> = {
    ...(author === undefined ? {} : { author }),
    pages: numPages,
  };
  return { ...layoutPdf(pages, title), metadata };
}

async function runsOf(pdf: PdfDocument, number: number): Promise<PdfRun[]> {
  try {
    const page = await pdf.getPage(number);
    const { items } = await page.getTextContent();
    page.cleanup();
    return items.flatMap((item) => ("str" in item ? [item as PdfRun] : []));
  } catch (error) {
    throw damaged(`page ${number} of the PDF`, error);
  }
}

async function labelsOf(pdf: PdfDocument): Promise<{ readonly title?: string; readonly author?: string }> {
  let info: Readonly<Record<string, unknown>>;
  try {
    info = (await pdf.getMetadata()).info as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw damaged("the description of the PDF", error);
  }
  const label = (value: unknown): string =>
    typeof value === "string" ? value.replace(/[\p{Cc}\s]+/gu, " ").trim() : "";
  const title = label(info.Title);
  const author = label(info.Author);
  return {
    ...(title === "" || NO_TITLE.test(title) ? {} : { title }),
    ...(author === "" ? {} : { author }),
  };
}
