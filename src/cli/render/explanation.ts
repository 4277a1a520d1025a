/** The stages of a search as a table. */
import type { SearchExplanation } from "../../search/explain.js";
import { formatNumber } from "./format.js";
import { renderTable } from "./table.js";

export function renderExplanation(explanation: SearchExplanation): string {
  const { plan, reason, kernels, queryTokens, stages } = explanation;
  const rows = stages.map(({ stage, seen, kept, what, milliseconds }) => [
    stage,
    `${formatNumber(seen)} ${what}`,
    formatNumber(kept),
    `${milliseconds.toFixed(2)} ms`,
  ]);
  return [
    `plan: ${plan} (${reason})`,
    `kernels: ${kernels.backend}, ${kernels.isa}`,
    ...(queryTokens.length === 0 ? [] : [`query tokens: ${queryTokens.join(" ")}`]),
    renderTable([["stage", "seen", "kept", "time"], ...rows]),
  ].join("\n");
}
