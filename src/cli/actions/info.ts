/** `maxsim info`: what an index holds. */
import { hasEncodedPassages } from "../../engine/discard.js";
import type { IndexInfo, SegmentInfo } from "../../engine/options.js";
import type { InfoOptions } from "../commands/info.js";
import { commandLogger } from "../common-options.js";
import { type CommandContext, terminalWidth } from "../context.js";
import { openIndex } from "../open-index.js";
import { createColors } from "../render/color.js";
import { formatBytes, formatNumber, formatShare } from "../render/format.js";
import { renderJson } from "../render/json.js";
import { type RenderStyle, renderHeadedTable, renderTable } from "../render/table.js";

export async function showInfo(options: InfoOptions, context: CommandContext): Promise<void> {
  const index = await openIndex(options.index, { logger: commandLogger(context, options) });
  try {
    const { segments: listed = false, json } = options;
    const info = index.info();
    const segments = index.segments();
    // Also while an add is running: then it is its own.
    const unfinished = await hasEncodedPassages(info.folder);
    if (json === true) {
      const list = listed ? { segmentList: segments } : {};
      context.stdout.write(renderJson({ ...info, unfinished, ...list }));
      return;
    }
    context.stdout.write(renderInfo(info, unfinished));
    if (!listed || segments.length === 0) return;
    const colors = createColors(context.stdout, context.env);
    const style = { colors, ...terminalWidth(context.stdout) };
    context.stdout.write(`\n${renderSegments(segments, style)}`);
  } finally {
    await index.close();
  }
}

export function renderInfo(info: IndexInfo, unfinished: boolean): string {
  const { bytes, tokens } = info;
  const stored = bytes.codec + bytes.segments;
  return renderTable([
    ["index", info.folder],
    ["generation", formatNumber(info.generation)],
    ["documents", formatNumber(info.documents)],
    ["passages", formatNumber(info.passages)],
    ["token vectors", formatNumber(tokens)],
    ["model", info.model ?? "none (vectors of your own)"],
    ["dimensions", formatNumber(info.dim)],
    ["bits", `${info.nbits} for each residual component`],
    ["words", info.lexical],
    ["centroids", formatNumber(info.centroids)],
    ["segments", formatNumber(info.segments)],
    [
      "vectors",
      `${formatBytes(stored)}${tokens === 0 ? "" : `, ${(stored / tokens).toFixed(1)} bytes each`}`,
    ],
    ["catalog", `${formatBytes(bytes.catalog)}, with the texts`],
    ...(unfinished
      ? [
          [
            "unfinished",
            "an add that is running or was interrupted; what it encoded is kept for the next one",
          ],
        ]
      : []),
  ]);
}

const NUMBERS = ["segment", "live", "passages", "dead", "token vectors", "size"] as const;

/** One line a segment; `dead` is the share of its passages that are deleted. */
export function renderSegments(segments: readonly SegmentInfo[], style: RenderStyle): string {
  const rows = segments.map(({ segmentNo, livePassages, passages, tokens, bytes, file }) => [
    formatNumber(segmentNo),
    formatNumber(livePassages),
    formatNumber(passages),
    formatShare(passages - livePassages, passages),
    formatNumber(tokens),
    formatBytes(bytes),
    file,
  ]);
  return renderHeadedTable([[...NUMBERS, "file"], ...rows], style, NUMBERS);
}
