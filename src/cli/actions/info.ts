/** `maxsim info`: what an index holds. */
import type { IndexInfo } from "../../engine/options.js";
import type { InfoOptions } from "../commands/info.js";
import { commandLogger } from "../common-options.js";
import type { CommandContext } from "../context.js";
import { openIndex } from "../open-index.js";
import { formatBytes, formatNumber } from "../render/format.js";
import { renderJson } from "../render/json.js";
import { renderTable } from "../render/table.js";

export async function showInfo(options: InfoOptions, context: CommandContext): Promise<void> {
  const index = await openIndex(options.index, { logger: commandLogger(context, options) });
  try {
    const info = index.info();
    context.stdout.write(options.json === true ? renderJson(info) : render(info));
  } finally {
    await index.close();
  }
}

function render(info: IndexInfo): string {
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
    ["centroids", formatNumber(info.centroids)],
    ["segments", formatNumber(info.segments)],
    [
      "vectors",
      `${formatBytes(stored)}${tokens === 0 ? "" : `, ${(stored / tokens).toFixed(1)} bytes each`}`,
    ],
    ["catalog", `${formatBytes(bytes.catalog)}, with the texts`],
  ]);
}
