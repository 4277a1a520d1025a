import type { Command } from "commander";
import { identifyModel } from "../../engine/model-handle.js";
import type { ModelSettings } from "../../models/settings.js";
import type { CommandContext } from "../context.js";
import { renderJson } from "../render/json.js";
import { renderTable } from "../render/table.js";

export function registerModel(program: Command, context: CommandContext): void {
  program
    .command("model")
    .description("show the settings that a model folder comes down to")
    .argument("[name]", "bundled model, folder, or Hugging Face repository id (default: the bundled model)")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExamples:\n  maxsim model\n  maxsim model ./my-colbert --json")
    .action(async (name: string | undefined, options: { json?: boolean }) => {
      const { settings, fingerprint } = await identifyModel(name);
      const described = describeModel(settings, fingerprint);
      if (options.json === true) {
        context.stdout.write(renderJson(described));
        return;
      }
      const rows = Object.entries(described).map(([key, value]) => [key, text(value)]);
      context.stdout.write(renderTable(rows));
    });
}

function describeModel(settings: ModelSettings, fingerprint: string) {
  const { skiplist, projection, ...plain } = settings;
  return {
    ...plain,
    skiplist: [...skiplist],
    projection: projection.map(({ inFeatures, outFeatures, activation }) => ({
      inFeatures,
      outFeatures,
      activation,
    })),
    fingerprint,
  };
}

function text(value: unknown): string {
  if (Array.isArray(value) && value.length > 8) return `${value.length} entries`;
  return typeof value === "string" ? value : JSON.stringify(value);
}
