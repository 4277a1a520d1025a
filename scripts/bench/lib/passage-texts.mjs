// Passages of about 200 tokens, from a corpus or made of the sentences that come with the bundled model.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { usageError } from "./options.mjs";

const MIN_TOKENS = 180;

/**
 * @param {{folder: string}} settings of a model
 * @param {import("../../../dist/models/tokenizer.js").TextTokenizer} tokenizer
 * @param {string | undefined} corpus JSONL with `text` and perhaps `title`
 * @param {number} wanted
 * @returns {string[]} at most `wanted` texts of 180 tokens or more
 */
export function passageTexts(settings, tokenizer, corpus, wanted) {
  if (corpus === undefined) {
    const golden = JSON.parse(readFileSync(join(settings.folder, "golden.json"), "utf8")).items;
    const sentences = golden.map((item) => item.text).filter((text) => text.length > 20 && text.length < 200);
    return Array.from({ length: wanted }, (_, i) => {
      let text = `passage ${i}.`;
      for (let j = 0; tokenizer.countTokens(text) < 200; j++) {
        text += ` ${sentences[(i * 7 + j) % sentences.length]}`;
      }
      return text;
    });
  }
  if (!existsSync(corpus)) throw usageError(`--corpus: ${corpus} does not exist`);
  const texts = [];
  for (const line of readFileSync(corpus, "utf8").split("\n")) {
    if (texts.length === wanted || line === "") break;
    const { title = "", text } = JSON.parse(line);
    const whole = `${title} ${text}`;
    if (tokenizer.encodeDocument(whole).ids.length >= MIN_TOKENS) texts.push(whole);
  }
  if (texts.length === 0) throw usageError(`--corpus: ${corpus} has no text of ${MIN_TOKENS} tokens or more`);
  return texts;
}
