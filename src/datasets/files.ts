/** One document for each text file. */
import { open } from "node:fs/promises";
import { ioError } from "../common/errors.js";
import { decodeText, isBinary, SNIFF_BYTES } from "../text/decode.js";
import { extractText, formatOf } from "../text/extract/index.js";
import type { CorpusItem } from "./types.js";

/** Reads, decodes and extracts a file. Binary files, and files without text, are skipped with the reason. Errors: IO. */
export async function readTextFile(path: string, id: string): Promise<CorpusItem> {
  const bytes = await readUnlessBinary(path);
  if (bytes === undefined) return { kind: "skipped", path, reason: "a binary file" };
  const { text: source, replaced } = decodeText(bytes, path);
  const { text, blocks, lines, title, metadata } = extractText(source, formatOf(path));
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

async function readUnlessBinary(path: string): Promise<Buffer | undefined> {
  try {
    const file = await open(path, "r");
    try {
      const head = Buffer.alloc(SNIFF_BYTES);
      const { bytesRead } = await file.read(head, 0, head.length, 0);
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
