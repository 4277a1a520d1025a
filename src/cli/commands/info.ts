import type { Command } from "commander";
import { Index } from "../../engine/index.js";
import { type CommandContext, indexFolder } from "../context.js";
import { formatBytes, formatNumber } from "../render/format.js";
import { renderJson } from "../render/json.js";
import { renderTable } from "../render/table.js";

export function registerInfo(program: Command, context: CommandContext): void {
  program
    .command("info")
    .description("show what an index holds and what it costs on disk")
    .option("--index <dir>", "folder of the index (default: index-data/default)")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExample:\n  maxsim info --index ./notes-index --json")
    .action(async (options: { index?: string; json?: boolean }) => {
      const index = await Index.open(indexFolder(options.index));
      try {
        const info = index.info();
        if (options.json === true) {
          context.stdout.write(renderJson(info));
          return;
        }
        const { bytes, tokens } = info;
        const stored = bytes.codec + bytes.segments;
        const rows = [
          ["index", info.folder],
          ["generation", formatNumber(info.generation)],
          ["documents", formatNumber(info.documents)],
          ["passages", formatNumber(info.passages)],
          ["token vectors", formatNumber(tokens)],
          ["model", info.model ?? "none (vectors of your own)"],
          ["codec", `${info.dim} dimensions, ${info.nbits} bits, ${formatNumber(info.centroids)} centroids`],
          ["segments", formatNumber(info.segments)],
          ["on disk", `${formatBytes(stored)} vectors, ${formatBytes(bytes.catalog)} catalog with the texts`],
          ["bytes a token", tokens === 0 ? "-" : (stored / tokens).toFixed(1)],
        ];
        context.stdout.write(renderTable(rows));
      } finally {
        await index.close();
      }
    });
}
