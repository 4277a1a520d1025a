/** `maxsim model`: the settings of a model. */
import { identifyModel } from "../../engine/model-handle.js";
import type { Marker, ModelSettings } from "../../models/settings.js";
import type { OutputOptions } from "../common-options.js";
import type { CommandContext } from "../context.js";
import { formatCount, formatNumber } from "../render/format.js";
import { renderJson } from "../render/json.js";
import { renderTable } from "../render/table.js";

export async function showModel(
  name: string | undefined,
  { json }: OutputOptions,
  context: CommandContext,
): Promise<void> {
  const { settings, fingerprint } = await identifyModel(name);
  context.stdout.write(
    json === true ? renderJson(describeModel(settings, fingerprint)) : render(settings, fingerprint),
  );
}

/** The settings as data: without the weights of projection layers. */
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

function render(settings: ModelSettings, fingerprint: string): string {
  const { expansion, projection, notes } = settings;
  const rows = [
    ["name", settings.name],
    ["folder", settings.folder],
    ["config dialect", settings.dialect],
    ["dimensions", formatNumber(settings.dim)],
    ["query length", formatCount(settings.queryLength, "token")],
    ["document length", formatCount(settings.documentLength, "token")],
    ["query marker", marker(settings.queryMarker)],
    ["document marker", marker(settings.documentMarker)],
    ["query prompt", quoted(settings.queryPrompt)],
    ["document prompt", quoted(settings.documentPrompt)],
    [
      "query expansion",
      expansion === null
        ? "none"
        : `${expansion.strategy === "fixed" ? "to" : "to at least"} ${formatCount(expansion.length, "token")}, ` +
          `token ${expansion.tokenId}, ${expansion.attend ? "" : "not "}attended to`,
    ],
    ["lower case", settings.lowercase ? "yes" : "no"],
    ["skiplist", formatCount(settings.skiplist.size, "token")],
    [
      "projection",
      projection.length === 0
        ? "in the graph"
        : projection
            .map(
              ({ inFeatures, outFeatures, activation }) => `${inFeatures} to ${outFeatures}, ${activation}`,
            )
            .join("; "),
    ],
    ["graph", settings.graphFile],
    ["tokenizer", settings.tokenizerFile],
    ["fingerprint", fingerprint],
    ...notes.map((note) => ["note", note]),
  ];
  return renderTable(rows);
}

function marker(found: Marker | null): string {
  return found === null ? "none" : `${found.text} (token ${found.id})`;
}

function quoted(prompt: string): string {
  return prompt === "" ? "none" : JSON.stringify(prompt);
}
