/** `--html`: a search result as a page in a file. */
import type { Index } from "../engine/index.js";
import type { SearchMode, SearchResult } from "../engine/options.js";
import { writeTextFile } from "../storage/text-file.js";
import { shownPath } from "./context.js";
import { formatCount, formatNumber } from "./render/format.js";
import type { PageHit } from "./render/page/hit.js";
import { renderPage } from "./render/page/page.js";
import { formatScores } from "./render/results.js";
import { fusedScores, placeBefore, shownPlace } from "./shown-hit.js";

export interface PageRequest {
  readonly query: string;
  readonly result: SearchResult;
  readonly mode: SearchMode;
  readonly index: Index;
  readonly milliseconds: number;
  /** Hits with a heat map. */
  readonly explained: number;
  /** Which documents are meant, in words. */
  readonly conditions: readonly string[];
}

const MODES: Readonly<Record<SearchMode, string>> = {
  late: "late interaction",
  lexical: "BM25",
  hybrid: "late interaction and BM25",
};

/** Errors: IO, DISK_FULL. */
export async function writeResultPage(file: string, request: PageRequest): Promise<void> {
  const { query, result, mode, index, milliseconds, explained, conditions } = request;
  const { hits, truncated, notes = [] } = result;
  const scores = formatScores(hits.map(({ score }) => score));
  const shown = hits.map((hit, i): PageHit => {
    const { rank, id, title, url, text, snippet, matches } = hit;
    const where = shownPlace(hit);
    const remarks = [placeBefore(hit), fusedScores(hit)];
    const remark = remarks.filter((words) => words !== undefined).join("; ");
    return {
      rank,
      score: scores[i] ?? "",
      id,
      text,
      snippet,
      ...(title === undefined ? {} : { title }),
      ...(url === undefined ? {} : { url }),
      ...(where === undefined ? {} : { where }),
      ...(remark === "" ? {} : { remark }),
      ...(matches === undefined || i >= explained ? {} : { matches }),
    };
  });
  const facts = [
    `${formatNumber(hits.length)} of ${formatCount(index.info().documents, "document")}`,
    MODES[mode],
    ...(result.reranking?.reranked === true ? [`reranked by ${result.reranking.name}`] : []),
    ...conditions,
    `index ${shownPath(index.folder)}`,
    `${milliseconds.toFixed(0)} ms`,
  ];
  const sentences = [
    ...notes,
    ...(truncated
      ? ["The query was truncated: it is longer than the model takes, its end was left out."]
      : []),
  ];
  await writeTextFile(file, renderPage({ query, hits: shown, facts, notes: sentences }));
}
