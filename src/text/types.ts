/** What extraction hands to splitting: clean text, its blocks, and the way back to lines of the source. */
import type { JsonValue } from "../common/json.js";

/** A span of text that a cut should respect. Offsets are UTF-16 code units of `ExtractedText.text`. */
export interface TextBlock {
  readonly kind: "heading" | "paragraph" | "code" | "list-item" | "table" | "quote";
  readonly start: number;
  readonly end: number;
  /** 1..6 for headings. */
  readonly level?: number;
  /**
   * Of source code: names of the definitions that the block lies in, outermost first, such as `class Router`,
   * `handle()`; empty outside of all. When every block has it, passages follow the definitions.
   */
  readonly scope?: readonly string[];
  /** The definition that `scope` names last begins with this block. */
  readonly opens?: boolean;
}

/**
 * Ascending pairs (offset in the text, 1-based line in the source); between pairs lines count by newlines. Where the source has
 * pages, cells or chapters instead (see positions.ts), these are what `line` says, and newlines do not count.
 */
export interface LineMark {
  readonly offset: number;
  readonly line: number;
}

export interface ExtractedText {
  readonly text: string;
  readonly blocks: readonly TextBlock[];
  readonly lines: readonly LineMark[];
  /** From front matter, `<title>` or the first heading. */
  readonly title?: string;
  readonly metadata?: Readonly<Record<string, JsonValue>>;
}

/** One piece of a document that is encoded and scored. */
export interface PassageSpan {
  /** Offsets in the document's text, UTF-16 code units, never inside a surrogate pair. */
  readonly start: number;
  readonly end: number;
  /** 1-based, inclusive; pages of a PDF and the like. */
  readonly lineStart: number;
  readonly lineEnd: number;
  /** Text put before the passage when it is encoded: title and heading path; may be empty. */
  readonly context: string;
}

/** Counts the tokens that a text takes in the model, without markers and special tokens. */
export type TokenCounter = (text: string) => number;
