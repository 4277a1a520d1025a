/** Formats that are more than text: their readers are loaded when the first file of the kind is read. */
import { decodeText } from "../decode.js";
import type { RichFormat } from "../formats.js";
import type { ExtractedText } from "../types.js";

/**
 * Text of a PDF, a Word document, an EPUB or a notebook. Errors: UnreadableFile saying why there is none, PACKAGE_MISSING,
 * ABORTED.
 */
export async function extractRich(
  bytes: Buffer,
  format: RichFormat,
  signal?: AbortSignal,
): Promise<ExtractedText> {
  switch (format) {
    case "pdf":
      return (await import("./pdf.js")).extractPdf(bytes, signal);
    case "docx":
      return (await import("./docx.js")).extractDocx(bytes);
    case "epub":
      return (await import("./epub.js")).extractEpub(bytes);
    case "notebook":
      return (await import("./notebook.js")).extractNotebook(decodeText(bytes, "the notebook").text);
  }
}
