/** Hits of the engine as they are drawn: where they are, what is said of them. */
import type { Hit } from "../engine/options.js";
import { placeOfPassage } from "../text/positions.js";
import { shownPath } from "./context.js";
import { describeMatches } from "./render/matches/describe-matches.js";
import type { RenderableHit } from "./render/results.js";

/** `file:line`, `file.pdf#page=3` where a document came from a file; records have the line or row of their record. */
export function shownPlace({ source, passage }: Pick<Hit, "source" | "passage">): string | undefined {
  return source === undefined ? undefined : placeOfPassage(source, passage.lineStart, shownPath(source.path));
}

/** `late 24.81, lexical 7.10`: what a fused score was made of. */
export function fusedScores({ scores }: Pick<Hit, "scores">): string | undefined {
  const parts = Object.entries(scores ?? {}).map(([name, score]) => `${name} ${score.toFixed(2)}`);
  return parts.length === 0 ? undefined : parts.join(", ");
}

/** `was 12, 7.10`: place and score before reranking. */
export function placeBefore({ firstStage }: Pick<Hit, "firstStage">): string | undefined {
  return firstStage === undefined ? undefined : `was ${firstStage.rank}, ${firstStage.score.toFixed(2)}`;
}

/** @param explained whether the matches are drawn, where there are any. */
export function renderableHit(hit: Hit, query: string, explained: boolean): RenderableHit {
  const { rank, score, id, snippet, text, matches } = hit;
  // Title and headings, or the names of the definitions around a piece of code, say more than the title alone.
  const title = hit.passage.context || hit.title;
  const where = shownPlace(hit);
  const remarks = [placeBefore(hit), explained ? fusedScores(hit) : undefined];
  const remark = remarks.filter((words) => words !== undefined).join("; ");
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
    ...(remark === "" ? {} : { remark }),
    ...(explained && matches !== undefined
      ? { explained: { matches: describeMatches(matches, query, text), text } }
      : {}),
  };
}
