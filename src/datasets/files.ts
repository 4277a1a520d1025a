/** One document for each file that is no list of records. */
import { open } from "node:fs/promises";
import { ioError, isMaxsimError, type MaxsimError } from "../common/errors.js";
import { decodeText, isBinary, SNIFF_BYTES } from "../text/decode.js";
import { extractText } from "../text/extract/index.js";
import { extractRich } from "../text/extract/rich.js";
import { formatOf, isRich } from "../text/formats.js";
import type { ExtractedText } from "../text/types.js";
import { UnreadableFile } from "../text/unreadable.js";
import type { CorpusItem } from "./types.js";

/**
 * Reads, decodes and extracts a file. What gives no document is skipped with the reason: binary files and files without text, and
 * as failed what is damaged or encrypted, or needs a package that is not installed.
 * Errors: ABORTED, IO, INVALID_INPUT for text of more than 500 MB.
 */
export async function readDocumentFile(path: string, id: string, signal?: AbortSignal): Promise<CorpusItem> {
  try {
    return await documentOf(path, id, signal);
  } catch (error) {
    if (error instanceof UnreadableFile)
      return { kind: "skipped", path, reason: error.message, failed: true };
    if (!isMaxsimError(error) || error.code !== "PACKAGE_MISSING") throw error;
    return { kind: "skipped", path, reason: missingPackage(error), failed: true };
  }
}

/** The sentence and the hint in one. */
export function missingPackage({ message, hint = "" }: MaxsimError): string {
  return `${message}. ${hint}`.replace(/\.? *$/, "");
}

async function documentOf(path: string, id: string, signal: AbortSignal | undefined): Promise<CorpusItem> {
  const format = formatOf(path);
  const bytes = await readBytes(path, !isRich(format));
  if (bytes === undefined) return { kind: "skipped", path, reason: "a binary file" };
  if (isRich(format)) return itemOf(await extractRich(bytes, format, signal), path, id, 0);
  const { text, replaced } = decodeText(bytes, path);
  return itemOf(extractText(text, format, path), path, id, replaced);
}

function itemOf(extracted: ExtractedText, path: string, id: string, replaced: number): CorpusItem {
  const { text, blocks, lines, title, metadata } = extracted;
  if (text.trim() === "") return { kind: "skipped", path, reason: "no text in it" };
  return {
    kind: "document",
    document: {
      id,
      text,
      blocks,
      lines,
      source: { path },
      ...(title === undefined ? {} : { title }),
      ...(metadata === undefined || Object.keys(metadata).length === 0 ? {} : { metadata }),
    },
    ...(replaced === 0 ? {} : { replaced }),
  };
}

/** Undefined for a binary file where a text is wanted, of which only the beginning is read. */
async function readBytes(path: string, isText: boolean): Promise<Buffer | undefined> {
  try {
    const file = await open(path, "r");
    try {
      const head = Buffer.alloc(SNIFF_BYTES);
      const { bytesRead } = isText ? await file.read(head, 0, head.length, 0) : { bytesRead: 0 };
      if (isBinary(head.subarray(0, bytesRead))) return undefined;
      // Reading at a position does not move the file's own, so this begins at the first byte.
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw ioError("read", path, error);
  }
}
