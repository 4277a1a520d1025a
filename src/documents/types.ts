import type { JsonValue } from "../common/json.js";
import type { LineMark, TextBlock } from "../text/types.js";

export type Metadata = Readonly<Record<string, JsonValue>>;

/** A document as the user hands it over. */
export interface DocumentInput {
  /** External id: 1 to 1,024 UTF-8 bytes, no NUL, no lone surrogates. */
  readonly id: string;
  readonly text: string;
  readonly title?: string;
  readonly url?: string;
  readonly metadata?: Metadata;
  /** Where the text came from: a path, and a line when one file holds many documents. */
  readonly source?: { readonly path: string; readonly line?: number };
  /** Structure found by an extractor; without it paragraphs are found from blank lines. */
  readonly blocks?: readonly TextBlock[];
  /** Where in the source the text stands: lines; pages of a source that is a PDF, and so on (see docs/formats.md). */
  readonly lines?: readonly LineMark[];
}
