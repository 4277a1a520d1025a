import type { Command } from "commander";
import type { IndexInfo } from "../../engine/options.js";
import {
  commandLogger,
  type OutputOptions,
  openIndex,
  withIndexOption,
  withOutputOptions,
} from "../common-options.js";
import type { CommandContext } from "../context.js";
import { formatBytes, formatNumber } from "../render/format.js";
import { renderJson } from "../render/json.js";
import { renderTable } from "../render/table.js";

interface InfoOptions extends OutputOptions {
  readonly index?: string;
}

export function registerInfo(program: Command, context: CommandContext): void {
  const command = program.command("info").description("show what an index holds and what it costs on disk");
  withOutputOptions(withIndexOption(command))
    .addHelpText("after", "\nExamples:\n  maxsim info\n  maxsim info --index ./notes-index --json")
    .action(async (options: InfoOptions) => {
      const index = await openIndex(options.index, { logger: commandLogger(context, options) });
      try {
        const info = index.info();
        context.stdout.write(options.json === true ? renderJson(info) : render(info));
      } finally {
        await index.close();
      }
    });
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
