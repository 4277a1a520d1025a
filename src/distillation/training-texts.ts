/** The texts of passages as training data has them. */
import { MaxsimError } from "../common/errors.js";
import type { StoredDocument, StoredPassage } from "../documents/records.js";
import type { CatalogView } from "../engine/catalog-view.js";
import { oneLine, passageInput } from "../text/context.js";

/** A passage of the index: the id of its document, and its number there, from 0. */
export interface PassagePlace {
  readonly documentId: string;
  readonly passage: number;
}

/** What stands for a passage in training data: the id of its document, "#", and its number. */
export function passageId({ documentId, passage }: PassagePlace): string {
  return `${documentId}#${passage}`;
}

/** Documents whose passages are kept, the ones used last: candidates of neighbouring queries are often the same. */
const KEPT_DOCUMENTS = 64;

/** Parts of a passage's context (text/context.ts). */
const SEPARATOR = " > ";

export interface TextOptions {
  /**
   * Texts by themselves, without lines that are the title or a heading of their document. Queries that are made of titles and headings
   * would otherwise be found by the words that they were taken from. When false, texts are what the index has encoded, with title
   * and headings before them.
   */
  readonly withoutHeadings: boolean;
}

interface PassageTexts {
  /** Of training data. */
  readonly text: string;
  /** Without what stands before it in the index: passages with the same are the same. */
  readonly bare: string;
}

export class TrainingTexts {
  /** Passages by document id. */
  private readonly known = new Map<string, readonly PassageTexts[]>();

  constructor(
    private readonly view: CatalogView,
    private readonly options: TextOptions,
  ) {}

  /** "" for a passage of which nothing is left. Errors: CORRUPT where the index does not have it. */
  text(place: PassagePlace): string {
    return this.passage(place).text;
  }

  /** The same for passages that differ in white space, title or headings alone; "" where nothing is left. Errors as `text`. */
  sameness(place: PassagePlace): string {
    return oneLine(this.passage(place).bare);
  }

  private passage({ documentId, passage }: PassagePlace): PassageTexts {
    const texts = this.passagesOf(documentId)[passage];
    if (texts !== undefined) return texts;
    throw new MaxsimError(
      "CORRUPT",
      `${this.view.folder} has no passage ${passage} of document ${JSON.stringify(documentId)}`,
      { hint: "Begin the distillation anew (--restart); if that does not help, run maxsim verify." },
    );
  }

  private passagesOf(documentId: string): readonly PassageTexts[] {
    const known = this.known.get(documentId);
    const texts = known ?? this.read(documentId);
    // The last one is the one that was used last.
    this.known.delete(documentId);
    this.known.set(documentId, texts);
    if (this.known.size > KEPT_DOCUMENTS) this.known.delete(this.known.keys().next().value!);
    return texts;
  }

  private read(documentId: string): readonly PassageTexts[] {
    const document = this.view.get(documentId);
    if (document === undefined) return [];
    const passages = this.view.passagesOf(document);
    const { withoutHeadings } = this.options;
    const left = withoutHeadings ? linesAbove(document, passages) : new Set<string>();
    return passages.map(({ start, end, context }) => {
      const bare = withoutLines(document.text.slice(start, end), left);
      return { bare, text: withoutHeadings || bare === "" ? bare : passageInput(context, bare) };
    });
  }
}

type Spans = readonly Pick<StoredPassage, "context" | "start" | "end">[];

/** Title and headings of a document, as `lineKey` has them. */
function linesAbove(document: StoredDocument, passages: Spans): ReadonlySet<string> {
  const parts = passages.flatMap(({ context }) => [context, ...context.split(SEPARATOR)]);
  const keys = [document.title ?? "", ...parts].map(lineKey).filter((key) => key !== "");
  return new Set([...keys, ...headingsOf(document, passages).keys()]);
}

/** Headings of a document by `lineKey`, as far as passages tell: those above a passage, and those that one begins with. */
export function headingsOf(document: StoredDocument, passages: Spans): Map<string, string> {
  const title = oneLine(document.title ?? "");
  const found = new Map<string, string>();
  for (const { context, start, end } of passages) {
    const opening = title === "" || start === 0 ? undefined : openingHeading(document.text.slice(start, end));
    for (const heading of [headingOf(context, title), opening]) {
      if (heading !== undefined && lineKey(heading) !== lineKey(title)) found.set(lineKey(heading), heading);
    }
  }
  return found;
}

/** The innermost heading above a passage; undefined where its context is no more than the title, or the beginning of it. */
export function headingOf(context: string, title: string): string | undefined {
  const heading = oneLine(context.split(SEPARATOR).at(-1) ?? "");
  return lineKey(title).startsWith(lineKey(context)) ? undefined : heading;
}

/** Characters of a heading at most. */
const MAX_HEADING = 100;

/**
 * The heading that a passage begins with. Blocks are not kept, so it is told by its looks: a short line by itself, which begins with a
 * letter or a number, is no row of a table and does not end as a sentence does, with text below it.
 */
export function openingHeading(text: string): string | undefined {
  const [, line = ""] = /^\s*([\p{L}\p{N}][^\n]*)\n[^\S\n]*\n\s*\S/u.exec(text) ?? [];
  const heading = oneLine(line);
  return heading === "" || heading.length > MAX_HEADING || /\||[.,:;!…。,:;]$/u.test(heading)
    ? undefined
    : heading;
}

/** Lines that differ in case and spaces alone are the same, "# Title" and "Title" as well. */
export function lineKey(line: string): string {
  return oneLine(line)
    .replace(/^#{1,6} /, "")
    .toLowerCase();
}

function withoutLines(text: string, left: ReadonlySet<string>): string {
  if (left.size === 0) return text.trim();
  return text
    .split("\n")
    .filter((line) => !left.has(lineKey(line)))
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}
