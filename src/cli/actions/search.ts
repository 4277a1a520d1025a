/** `maxsim search`: one question, a conversation, or a file of queries. */
import type { Filter } from "../../documents/filter/types.js";
import type { Index } from "../../engine/index.js";
import type { SearchResult } from "../../engine/options.js";
import type { SearchCommandOptions } from "../commands/search.js";
import { commandLogger } from "../common-options.js";
import { type CommandContext, shownPath } from "../context.js";
import { converse } from "../converse.js";
import { openIndex, openView, requireDocuments } from "../open-index.js";
import { createColors } from "../render/color.js";
import { renderExplanation } from "../render/explanation.js";
import { formatCount, formatNumber } from "../render/format.js";
import { inlineNumberLists, renderJson } from "../render/json.js";
import { heatLegend } from "../render/matches/drawing.js";
import { createHeat, takesUnicode } from "../render/matches/heat.js";
import { resultJson } from "../render/matches/json.js";
import { singleLine } from "../render/plain-text.js";
import { RerankTally, rerankSummary } from "../render/rerank-summary.js";
import { renderHits } from "../render/results.js";
import { renderRunReport, searchQueries } from "../run-queries.js";
import { conditionWords, type Ranking, searchOptions } from "../search-options.js";
import { openSearchReranker } from "../search-reranker.js";
import { renderableHit } from "../shown-hit.js";
import { sinceFilter } from "../since-filter.js";
import { writeResultPage } from "../write-page.js";

/** Columns where the output is no terminal. */
const DEFAULT_WIDTH = 100;
/** Hits whose passages are drawn with their matches, without `--explain-hits`. */
const EXPLAINED_HITS = 3;
/** The same for a page, where heat maps take room only when they are opened. */
const PAGE_HITS = 10;

export async function search(
  words: readonly string[],
  options: SearchCommandOptions,
  context: CommandContext,
): Promise<void> {
  const { queries, run, json, threads, model } = options;
  const started = performance.now();
  const firstStage = searchOptions(options, since(options));
  const index = await openIndex(options.index, {
    warm: true,
    logger: commandLogger(context, options),
    ...(threads === undefined ? {} : { threads }),
    ...(model === undefined ? {} : { model }),
  });
  let opened: Awaited<ReturnType<typeof openSearchReranker>>;
  try {
    requireDocuments(index);
    opened = await openSearchReranker(index, options, context);
    const ranking: Ranking = opened === undefined ? firstStage : { ...firstStage, rerank: opened.rerank };
    const cached = opened?.cached ?? false;
    if (queries !== undefined && run !== undefined) {
      const quiet = json === true && context.stderr.isTTY !== true;
      const report = await searchQueries(index, { queries, run, search: ranking, quiet }, context);
      context.stdout.write(
        json === true ? renderJson({ index: index.folder, ...report }) : renderRunReport(report),
      );
      if (json !== true) context.stderr.write(`index ${shownPath(index.folder)}\n`);
    } else if (words.length > 0) {
      // Apart from the search, so that its time is the one of a question to an open index.
      await index.warm();
      const loading = performance.now() - started;
      await answer(index, words.join(" "), { options, ranking, cached, context, loading });
      if (json !== true) context.stderr.write(`index ${shownPath(index.folder)}\n`);
    } else {
      const { documents } = index.info();
      context.stderr.write(
        `${formatCount(documents, "document")} in ${shownPath(index.folder)}; an empty line or Ctrl-D ends\n`,
      );
      await index.warm();
      await converse(context, (question) => answer(index, question, { options, ranking, cached, context }));
    }
  } finally {
    await opened?.close();
    await index.close();
  }
}

/** What `--since` means for the index, where it is given. */
function since({ index, since: from }: SearchCommandOptions): Filter | undefined {
  if (from === undefined) return undefined;
  const view = openView(index);
  try {
    return sinceFilter(view, from);
  } finally {
    view.close();
  }
}

interface Question {
  readonly options: SearchCommandOptions;
  readonly ranking: Ranking;
  /** Whether scores of a reranker are kept. */
  readonly cached: boolean;
  readonly context: CommandContext;
  /** Milliseconds that index and model took, where that is worth telling. */
  readonly loading?: number;
}

async function answer(
  index: Index,
  query: string,
  { options, ranking, cached, context, loading }: Question,
): Promise<void> {
  const { json, html, snippets, explainHits } = options;
  const explain = options.explain === true || explainHits !== undefined;
  const matchesNeeded = html !== undefined || (explain && (json === true || explainHits !== 0));
  const started = performance.now();
  const result = await index.search(query, {
    ...ranking,
    signal: context.signal,
    explain: matchesNeeded ? true : explain ? "stages" : false,
    ...(snippets === undefined ? {} : { snippets }),
  });
  const milliseconds = performance.now() - started;
  if (html !== undefined) {
    await writeResultPage(html, {
      query,
      result,
      mode: options.mode ?? "late",
      index,
      milliseconds,
      explained: explainHits ?? PAGE_HITS,
      conditions: conditionWords(options),
    });
  }
  if (json === true) {
    const answered = { query, index: index.folder, milliseconds, ...resultJson(result, { explain }) };
    context.stdout.write(explain ? inlineNumberLists(renderJson(answered)) : renderJson(answered));
    return;
  }
  show(result, query, explain ? (explainHits ?? EXPLAINED_HITS) : undefined, context);
  const after = loading === undefined ? "" : `, after ${loading.toFixed(0)} ms of loading`;
  context.stderr.write(
    `${formatNumber(result.hits.length)} of ${formatCount(index.info().documents, "document")} ` +
      `in ${milliseconds.toFixed(0)} ms${after}\n`,
  );
  if (result.reranking !== undefined) {
    const { name, model, ...outcome } = result.reranking;
    const tally = new RerankTally();
    tally.add([outcome]);
    context.stderr.write(rerankSummary({ reranker: { name, model }, cached }, tally));
  }
  for (const note of result.notes ?? []) context.stderr.write(`note: ${singleLine(note)}\n`);
  if (result.truncated) {
    context.stderr.write(
      "the query was truncated: it is longer than the model takes, its end was left out\n",
    );
  }
  if (html !== undefined) context.stderr.write(`page written to ${singleLine(html)}\n`);
}

/** @param explained hits that are drawn with their matches; undefined for a search that is not explained. */
function show(
  { hits, explanation }: SearchResult,
  query: string,
  explained: number | undefined,
  context: CommandContext,
): void {
  const { stdout, env } = context;
  const colors = createColors(stdout, env);
  const heat = createHeat(stdout, env);
  const width = stdout.columns ?? DEFAULT_WIDTH;
  const shown = hits.map((hit, i) => renderableHit(hit, query, i < (explained ?? 0)));
  stdout.write(renderHits(shown, { colors, width, heat, unicode: takesUnicode(env) }));
  if (explained === undefined) return;
  if (shown.some((hit) => hit.explained !== undefined)) stdout.write(`\n${heatLegend({ colors, heat })}\n`);
  if (explanation !== undefined) stdout.write(`\n${renderExplanation(explanation)}`);
}
