/** `maxsim update`: new metadata, title or url for one document. */
import { isMaxsimError } from "../../common/errors.js";
import type { Index } from "../../engine/index.js";
import type { UpdateReport } from "../../engine/options.js";
import type { MergingPatch } from "../../engine/writing.js";
import type { UpdateCommandOptions } from "../commands/update.js";
import { commandLogger } from "../common-options.js";
import { type CommandContext, shownPath } from "../context.js";
import { openIndex, openView, unknownDocument } from "../open-index.js";
import { formatNumber } from "../render/format.js";
import { renderJson } from "../render/json.js";
import { singleLine } from "../render/plain-text.js";

export async function updateDocument(
  id: string,
  options: UpdateCommandOptions,
  context: CommandContext,
): Promise<void> {
  const { metadata, merge, title, url } = options;
  const patch: MergingPatch = {
    id,
    ...(metadata === undefined ? {} : { metadata: metadata === false ? null : metadata }),
    ...(merge === undefined ? {} : { merge }),
    ...(title === undefined ? {} : { title: title === false ? null : title }),
    ...(url === undefined ? {} : { url: url === false ? null : url }),
  };
  const index = await openIndex(options.index, { logger: commandLogger(context, options) });
  try {
    const { generation } = await update(index, patch);
    if (options.json === true) {
      context.stdout.write(renderJson({ index: index.folder, generation, id }));
      return;
    }
    context.stdout.write(
      `updated ${singleLine(id)} in ${shownPath(index.folder)} (generation ${formatNumber(generation)})\n`,
    );
  } finally {
    await index.close();
  }
}

/** The error of an id that is not there offers some that are. */
async function update(index: Index, patch: MergingPatch): Promise<UpdateReport> {
  try {
    return await index.update([patch]);
  } catch (error) {
    if (!isMaxsimError(error) || error.code !== "UNKNOWN_DOCUMENT") throw error;
    const view = openView(index.folder);
    try {
      throw unknownDocument(view, patch.id);
    } finally {
      view.close();
    }
  }
}
