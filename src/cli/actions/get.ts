/** `maxsim get`: one document with all that the index knows of it. */
import type { StoredDocument } from "../../documents/records.js";
import type { CatalogView } from "../../engine/catalog-view.js";
import { positionUnitOf } from "../../text/positions.js";
import type { GetCommandOptions } from "../commands/get.js";
import { type CommandContext, shownSource } from "../context.js";
import { openView, unknownDocument } from "../open-index.js";
import { createColors } from "../render/color.js";
import { renderDocument, type ShownPassage } from "../render/documents.js";
import { renderJson } from "../render/json.js";
import { multiLine } from "../render/plain-text.js";

export function getDocument(id: string, options: GetCommandOptions, context: CommandContext): void {
  const view = openView(options.index);
  try {
    const document = view.get(id);
    if (document === undefined) throw unknownDocument(view, id);
    const { stdout } = context;
    if (options.text === true) {
      // A program gets the text as it is.
      stdout.write(stdout.isTTY === true ? `${multiLine(document.text)}\n` : document.text);
    } else if (options.json === true) {
      stdout.write(renderJson(jsonDocument(view, document)));
    } else {
      const { source, ...rest } = document;
      const shown = {
        ...rest,
        passages: passagesOf(view, document),
        ...(source === undefined ? {} : { source: shownSource(source) }),
      };
      const colors = createColors(stdout, context.env);
      stdout.write(renderDocument(shown, { colors, passages: options.passages === true }));
    }
  } finally {
    view.close();
  }
}

function passagesOf(view: CatalogView, document: StoredDocument): ShownPassage[] {
  const positionUnit = positionUnitOf(document.source?.path);
  return view.passagesOf(document).map(({ start, end, lineStart, lineEnd, tokens, context }, index) => {
    const text = document.text.slice(start, end);
    return { index, lineStart, lineEnd, positionUnit, tokens, context, text };
  });
}

function jsonDocument(view: CatalogView, document: StoredDocument): object {
  const { documentNo: _no, firstPassage: _first, passages: _count, ...rest } = document;
  const positionUnit = positionUnitOf(document.source?.path);
  const passages = view
    .passagesOf(document)
    .map(({ passageNo: _passage, documentNo: _document, ...passage }, index) => ({
      index,
      ...passage,
      positionUnit,
    }));
  return { index: view.folder, generation: view.generation, ...rest, passages };
}
