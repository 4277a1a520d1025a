/** `maxsim search`: one question, a conversation, or a file of queries. */
import type { Index } from "../../engine/index.js";
import type { Hit, SearchResult } from "../../engine/options.js";
import type { SearchCommandOptions } from "../commands/search.js";
import { commandLogger } from "../common-options.js";
import { type CommandContext, shownPath } from "../context.js";
import { converse } from "../converse.js";
import { openIndex, requireDocuments } from "../open-index.js";
import { createColors } from "../render/color.js";
import { renderExplanation } from "../render/explanation.js";
import { formatCount, formatNumber } from "../render/format.js";
import { renderJson } from "../render/json.js";
import { type RenderableHit, renderHits } from "../render/results.js";
import { renderRunReport, searchQueries } from "../run-queries.js";

/** Columns where the output is no terminal. */
const DEFAULT_WIDTH = 100;

export async function search(
  words: readonly string[],
  options: SearchCommandOptions,
  context: CommandContext,
): Promise<void> {
  const { queries, run, k, effort, json, threads, model } = options;
  const started = performance.now();
  const index = await openIndex(options.index, {
    warm: true,
    logger: commandLogger(context, options),
    ...(threads === undefined ? {} : { threads }),
    ...(model === undefined ? {} : { model }),
  });
  try {
    requireDocuments(index);
    if (queries !== undefined && run !== undefined) {
      const quiet = json === true && context.stderr.isTTY !== true;
      const report = await searchQueries(index, { queries, run, k, effort, quiet }, context);
      context.stdout.write(
        json === true ? renderJson({ index: index.folder, ...report }) : renderRunReport(report),
      );
      if (json !== true) context.stderr.write(`index ${shownPath(index.folder)}\n`);
    } else if (words.length > 0) {
      // Apart from the search, so that its time is the one of a question to an open index.
      await index.warm();
      await answer(index, words.join(" "), options, context, performance.now() - started);
      if (json !== true) context.stderr.write(`index ${shownPath(index.folder)}\n`);
    } else {
      const { documents } = index.info();
      context.stderr.write(
        `${formatCount(documents, "document")} in ${shownPath(index.folder)}; an empty line or Ctrl-D ends\n`,
      );
      await index.warm();
      await converse(context, (question) => answer(index, question, options, context));
    }
  } finally {
    await index.close();
  }
}

/** `loading`: milliseconds that index and model took, where that is worth telling. */
async function answer(
  index: Index,
  query: string,
  options: SearchCommandOptions,
  context: CommandContext,
  loading?: number,
): Promise<void> {
  const { k, effort, explain, json } = options;
  const started = performance.now();
  const result = await index.search(query, {
    k,
    signal: context.signal,
    explain: explain === true,
    ...(effort === undefined ? {} : { effort }),
  });
  const milliseconds = performance.now() - started;
  if (json === true) {
    context.stdout.write(renderJson({ query, index: index.folder, milliseconds, ...result }));
    return;
  }
  show(result, context);
  const after = loading === undefined ? "" : `, after ${loading.toFixed(0)} ms of loading`;
  context.stderr.write(
    `${formatNumber(result.hits.length)} of ${formatCount(index.info().documents, "document")} ` +
      `in ${milliseconds.toFixed(0)} ms${after}\n`,
  );
  if (result.truncated) {
    context.stderr.write(
      "the query was truncated: it is longer than the model takes, its end was left out\n",
    );
  }
}

function show({ hits, explanation }: SearchResult, context: CommandContext): void {
  const colors = createColors(context.stdout, context.env);
  const width = context.stdout.columns ?? DEFAULT_WIDTH;
  context.stdout.write(renderHits(hits.map(toRenderable), { colors, width }));
  if (explanation !== undefined) context.stdout.write(`\n${renderExplanation(explanation)}`);
}

/** `file:line` where a document came from a file; JSONL and CSV records have the line of their record. */
function toRenderable(hit: Hit): RenderableHit {
  const { rank, score, id, title, source, passage, snippet } = hit;
  const where =
    source === undefined ? undefined : `${shownPath(source.path)}:${source.line ?? passage.lineStart}`;
  return {
    rank,
    score,
    id,
    snippet: {
      text: snippet.text,
      highlights: snippet.highlights,
      leadingEllipsis: snippet.cutBefore,
      trailingEllipsis: snippet.cutAfter,
    },
    ...(title === undefined ? {} : { title }),
    ...(where === undefined ? {} : { where }),
  };
}
