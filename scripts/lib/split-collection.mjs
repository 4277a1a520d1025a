// The passages of a collection as adding it to an index would make them, without encoding anything.

import { Encoder } from "../../dist/engine/encoder.js";
import { TextTokenizer } from "../../dist/models/tokenizer.js";
import { splitDocument } from "../../dist/text/split.js";

/**
 * @param {import("./collections.mjs").Collection} collection
 * @returns {Promise<{ids: string[], passages: {document: number, text: string}[]}>}
 */
export async function splitCollection(collection) {
  const encoder = await Encoder.load();
  try {
    const tokenizer = await TextTokenizer.load(encoder.settings);
    const splitting = {
      budget: tokenizer.documentBudget,
      countTokens: (text) => tokenizer.countTokens(text),
    };
    const ids = [];
    const passages = [];
    for await (const document of collection.documents()) {
      for (const { start, end, context } of splitDocument(document, splitting)) {
        passages.push({ document: ids.length, text: `${context} ${document.text.slice(start, end)}`.trim() });
      }
      ids.push(document.id);
    }
    return { ids, passages };
  } finally {
    await encoder.close();
  }
}
