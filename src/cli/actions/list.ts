/** `maxsim list`: the documents of an index as a table, as ids, or as JSON. */
import type { DocumentSummary } from "../../documents/records.js";
import type { CatalogView, ViewOptions } from "../../engine/catalog-view.js";
import type { ListCommandOptions } from "../commands/list.js";
import { commandLogger } from "../common-options.js";
import { type CommandContext, shownPath, shownSource, terminalWidth } from "../context.js";
import { warnOfUnknownFields } from "../filter-option.js";
import { openView } from "../open-index.js";
import { createColors } from "../render/color.js";
import { renderDocuments } from "../render/documents.js";
import { formatCount, formatNumber } from "../render/format.js";
import { renderJsonList } from "../render/json.js";
import { singleLine } from "../render/plain-text.js";
import { writeOut } from "../write-out.js";

const DEFAULT_LIMIT = 20;

export async function listDocuments(options: ListCommandOptions, context: CommandContext): Promise<void> {
  const { filter, ids = false, json = false, offset = 0 } = options;
  const limit = options.limit ?? (ids || json ? undefined : DEFAULT_LIMIT);
  const view = openView(options.index);
  try {
    const which = {
      offset,
      ...(filter === undefined ? {} : { filter }),
      ...(limit === undefined ? {} : { limit }),
    };
    const unknownFields = filter === undefined ? [] : view.unknownFields(filter);
    const total = view.count(filter);
    if (json) {
      const { folder, generation } = view;
      const head = { index: folder, generation, total, offset, unknownFields };
      await writeOut(renderJsonList(head, "documents", jsonDocuments(view, which)), context);
      return;
    }
    const logger = commandLogger(context, options);
    warnOfUnknownFields(unknownFields, logger);
    const shown = ids ? await writeIds(view, which, context) : writeTable(view, which, context);
    if (ids && shown.unprintable > 0) {
      logger.warn(
        `${formatCount(shown.unprintable, "id")} with a line break left out, which one line cannot hold; see --json`,
      );
    }
    context.stderr.write(footer(shown, total, offset, view, filter !== undefined));
  } finally {
    view.close();
  }
}

interface Shown {
  documents: number;
  unprintable: number;
}

function* documentsOf(view: CatalogView, which: ViewOptions): Generator<DocumentSummary> {
  for (const page of view.pages(which)) yield* page;
}

function* jsonDocuments(view: CatalogView, which: ViewOptions): Generator<object> {
  for (const { documentNo: _no, firstPassage: _first, ...document } of documentsOf(view, which))
    yield document;
}

/** Ids go to programs as they are; only a terminal is protected from what they may hold. */
async function writeIds(view: CatalogView, which: ViewOptions, context: CommandContext): Promise<Shown> {
  const shown: Shown = { documents: 0, unprintable: 0 };
  const lines = function* () {
    for (const { id } of documentsOf(view, which)) {
      const unprintable = /[\n\r]/.test(id);
      if (unprintable) shown.unprintable++;
      else shown.documents++;
      if (!unprintable) yield `${context.stdout.isTTY === true ? singleLine(id) : id}\n`;
    }
  };
  await writeOut(lines(), context);
  return shown;
}

function writeTable(view: CatalogView, which: ViewOptions, context: CommandContext): Shown {
  const documents = [...documentsOf(view, which)].map(({ id, title, passages, tokens, source }) => ({
    id,
    passages,
    tokens,
    ...(title === undefined ? {} : { title }),
    ...(source === undefined ? {} : { source: shownSource(source) }),
  }));
  const colors = createColors(context.stdout, context.env);
  context.stdout.write(renderDocuments(documents, { colors, ...terminalWidth(context.stdout) }));
  return { documents: documents.length, unprintable: 0 };
}

function footer(
  { documents, unprintable }: Shown,
  total: number,
  offset: number,
  view: CatalogView,
  filtered: boolean,
): string {
  const what = filtered
    ? `${formatCount(total, "matching document")} (${formatNumber(view.documents)} in all)`
    : formatCount(total, "document");
  const end = offset + documents + unprintable;
  const next = end < total && end > offset ? `; go on with --offset ${end}` : "";
  return `${formatNumber(documents)} of ${what} in ${shownPath(view.folder)}${next}\n`;
}
