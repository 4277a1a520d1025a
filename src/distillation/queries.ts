/** Queries of a distillation: read from a file, or made from titles and headings. */
import { extname } from "node:path";
import { throwIfAborted } from "../common/abort.js";
import { MaxsimError } from "../common/errors.js";
import { Random } from "../common/random.js";
import { readLines } from "../datasets/lines.js";
import { readQueries } from "../datasets/queries.js";
import type { CatalogView } from "../engine/catalog-view.js";
import { oneLine } from "../text/context.js";
import { formatOf } from "../text/formats.js";
import { headingsOf, lineKey } from "./training-texts.js";
import type { DistillQuery } from "./types.js";

/** A heading of fewer words says little without the title above it. */
const WORDS_OF_A_HEADING = 3;
/** A query of fewer words could mean anything. */
const WORDS_OF_A_QUERY = 2;
/** Characters of a query at most: longer titles are sentences of the text, or mistakes. */
const MAX_LENGTH = 200;

/**
 * Queries of a file, in its order: `.txt` with a query a line, whose ids are the numbers of the lines; else JSONL or TSV
 * as `readQueries` takes them. Errors: INVALID_INPUT for a file without queries and for one with an empty query; PATH_NOT_FOUND, IO.
 */
export async function readQueryFile(path: string): Promise<DistillQuery[]> {
  const queries = extname(path).toLowerCase() === ".txt" ? await readPlain(path) : await readQueries(path);
  const empty = queries.find(({ text }) => text.trim() === "");
  const problem =
    queries.length === 0
      ? `${path} holds no queries`
      : empty === undefined
        ? undefined
        : `${path}: query ${JSON.stringify(empty.id)} is empty`;
  if (problem === undefined) return queries;
  throw new MaxsimError("INVALID_INPUT", problem, {
    hint: 'Lines are {"_id": "...", "text": "..."}, or id, tab and text; of a .txt file each is a query.',
  });
}

async function readPlain(path: string): Promise<DistillQuery[]> {
  const queries: DistillQuery[] = [];
  for await (const { line, text } of readLines(path)) {
    if (text === undefined) throw new MaxsimError("INVALID_INPUT", `${path}:${line}: the line is too long`);
    if (text.trim() !== "") queries.push({ id: String(line), text: text.trim() });
  }
  return queries;
}

/** The queries without those whose text an earlier one has; sources of both are those of the first. */
export function distinctQueries(queries: readonly DistillQuery[]): DistillQuery[] {
  const known = new Map<string, { query: DistillQuery; sources: Set<string> }>();
  for (const query of queries) {
    const key = lineKey(query.text);
    const first = known.get(key);
    if (first === undefined) known.set(key, { query, sources: new Set(query.sources) });
    else for (const source of query.sources ?? []) first.sources.add(source);
  }
  return [...known.values()].map(({ query, sources }) =>
    query.sources === undefined ? query : { ...query, sources: [...sources] },
  );
}

/**
 * At most `limit` of the queries, in their order, chosen by `seed`. A larger limit only adds queries, so that rankings that are
 * known stay useful.
 */
export function sampleQueries(
  queries: readonly DistillQuery[],
  limit: number,
  seed: number,
): readonly DistillQuery[] {
  if (queries.length <= limit) return queries;
  const random = new Random(seed);
  const lots = queries.map((_, i) => ({ i, lot: random.uint32() }));
  const chosen = lots.sort((a, b) => a.lot - b.lot || a.i - b.i).slice(0, limit);
  return chosen
    .map(({ i }) => i)
    .sort((a, b) => a - b)
    .map((i) => queries[i]!);
}

/**
 * Queries made from titles and headings of all documents, "m1", "m2", ... in the order of the documents. A heading that is short, or
 * stands in several documents, has the title before it. Names of source files, and what is too short or too long, give none.
 */
export function makeQueries(view: CatalogView, signal?: AbortSignal): DistillQuery[] {
  const titles: Made[] = [];
  const headings: Made[] = [];
  const documentsOf = new Map<string, number>();
  for (const page of view.pages()) {
    throwIfAborted(signal, "making queries");
    for (const { id: source, title: given } of page) {
      const title = oneLine(given ?? "");
      if (!title.includes(" ") && formatOf(title) === "code") continue;
      const document = view.get(source);
      const own =
        document === undefined ? new Map<string, string>() : headingsOf(document, view.passagesOf(document));
      if (title !== "") titles.push({ text: title, source, place: titles.length + headings.length });
      for (const [key, text] of own) {
        headings.push({ text, title, source, place: titles.length + headings.length });
        documentsOf.set(key, (documentsOf.get(key) ?? 0) + 1);
      }
    }
  }
  const clearHeadings = headings.flatMap(({ title, ...heading }): Made[] => {
    const key = lineKey(heading.text);
    if (documentsOf.get(key) === 1 && countWords(key) >= WORDS_OF_A_HEADING) return [heading];
    return title === undefined || title === "" ? [] : [{ ...heading, text: `${title}: ${heading.text}` }];
  });
  const made = [...titles, ...clearHeadings]
    .sort((a, b) => a.place - b.place)
    .filter(({ text }) => text.length <= MAX_LENGTH && countWords(text) >= WORDS_OF_A_QUERY)
    .map(({ text, source }) => ({ id: "", text, sources: [source] }));
  return distinctQueries(made).map((query, i) => ({ ...query, id: `m${i + 1}` }));
}

/** A title or heading; `place` counts them in the order of the documents. */
interface Made {
  readonly text: string;
  /** Of a heading: the title of its document, which may be empty. */
  readonly title?: string;
  readonly source: string;
  readonly place: number;
}

/** Words with spaces between them; of scripts without, a word is counted for every two characters. */
function countWords(text: string): number {
  const unspaced = text.match(
    /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}]/gu,
  );
  const spaced = text.match(/[\p{L}\p{N}][\p{L}\p{N}\p{M}'’._-]*/gu);
  return unspaced === null ? (spaced?.length ?? 0) : Math.floor(unspaced.length / 2);
}
