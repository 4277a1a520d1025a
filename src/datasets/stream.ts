/** Documents of a stream of bytes, such as standard input: records, or one text. */
import { throwIfAborted } from "../common/abort.js";
import { MaxsimError } from "../common/errors.js";
import { checkId } from "../documents/check-document.js";
import { decodeText, isBinary } from "../text/decode.js";
import { extractText } from "../text/extract/index.js";
import type { TextFormat } from "../text/formats.js";
import { readRecords } from "./corpus-file.js";
import type { StreamFormat } from "./stream-format.js";
import type { CorpusItem, RecordOptions } from "./types.js";

export interface StreamOptions extends RecordOptions {
  readonly format: StreamFormat;
  /** Id of the document that a text becomes; what stands before the line in ids of records without an id. */
  readonly id: string;
  /** What messages call the stream. */
  readonly name: string;
  readonly signal?: AbortSignal;
}

/** The longest text that is read, in bytes. */
const MAX_TEXT_BYTES = 500_000_000;

const TEXT_FORMATS: Readonly<Partial<Record<StreamFormat, TextFormat>>> = {
  text: "plain",
  markdown: "markdown",
  html: "html",
  rst: "rst",
  code: "code",
};

/**
 * Records of JSONL, CSV and TSV one by one as they come; every other format is read to its end and gives one document. Documents
 * have no source. Errors: INVALID_INPUT, UNKNOWN_COLUMN, INVALID_DOCUMENT for the id, ABORTED, IO.
 */
export async function* readStream(
  input: AsyncIterable<Uint8Array>,
  options: StreamOptions,
): AsyncGenerator<CorpusItem> {
  const { format, id, name, signal } = options;
  checkId(id);
  const text = TEXT_FORMATS[format];
  if (text !== undefined) {
    yield documentOf(await readAll(input, options), text, options);
    return;
  }
  const kind = { format: format as "jsonl" | "csv" | "tsv" };
  for await (const item of readRecords({ path: name, name: id, input }, kind, options)) {
    throwIfAborted(signal, `reading ${name}`);
    yield item;
  }
}

function documentOf(bytes: Buffer, format: TextFormat, { id, name }: StreamOptions): CorpusItem {
  if (isBinary(bytes)) return { kind: "skipped", path: name, reason: "it is no text", failed: true };
  const { text: source, replaced } = decodeText(bytes, name);
  const { text, blocks, lines, title, metadata } = extractText(source, format);
  if (text.trim() === "") return { kind: "skipped", path: name, reason: "no text in it" };
  const document = {
    ...{ id, text, blocks, lines },
    ...(title === undefined ? {} : { title }),
    ...(metadata === undefined || Object.keys(metadata).length === 0 ? {} : { metadata }),
  };
  return { kind: "document", document, ...(replaced === 0 ? {} : { replaced }) };
}

async function readAll(input: AsyncIterable<Uint8Array>, { name, signal }: StreamOptions): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of input) {
    throwIfAborted(signal, `reading ${name}`);
    length += chunk.length;
    if (length > MAX_TEXT_BYTES) {
      throw new MaxsimError(
        "INVALID_INPUT",
        `${name} has more than ${MAX_TEXT_BYTES} bytes, which one document cannot have`,
        { hint: "Give it as JSON Lines, one document a line (--format jsonl)." },
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
