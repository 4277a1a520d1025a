/**
 * How strong a match must be to be shown: what the best passage of a query shows, and what a passage about something
 * else shows, which is noise.
 *
 *   node scripts/measure-highlights.mjs <index folder> <queries.jsonl> [queries]
 *
 * The queries are lines {"text": "..."}; every passage is compared with its own query and with one further on.
 */
import { readFileSync } from "node:fs";
import { Index } from "../dist/index.js";
import { matchedWords } from "../dist/search/matched-words.js";
import { findWords, stemWord, stopWords } from "../dist/text/words.js";

const STRENGTHS = [0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5];
const FURTHER = 37;

const [folder, file, count = "120"] = process.argv.slice(2);
if (file === undefined) {
  console.error("usage: node scripts/measure-highlights.mjs <index folder> <queries.jsonl> [queries]");
  process.exit(2);
}
const texts = readFileSync(file, "utf8")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => JSON.parse(line).text);
const step = Math.max(1, Math.floor(texts.length / Number(count)));
const queries = texts.filter((_, i) => i % step === 0).slice(0, Number(count));

/** Tokens of a text as `matchedWords` wants them. */
function placed(tokens) {
  return {
    starts: Int32Array.from(tokens, ({ span }) => span?.[0] ?? -1),
    ends: Int32Array.from(tokens, ({ span }) => span?.[1] ?? -1),
  };
}

function similaritiesOf({ query, passage, choices, similarities }) {
  const values = new Float32Array(query.length * passage.length);
  similarities.forEach((row, q) => {
    values.set(row, q * passage.length);
  });
  const chosen = Uint32Array.from(choices, (choice) => choice.passage);
  return { queryTokens: query.length, passageTokens: passage.length, values, choices: chosen };
}

const sums = { own: new Map(), other: new Map() };

function countWords(kind, query, { text, matches }) {
  const words = [...findWords(query)]
    .map(([word]) => word)
    .filter((word) => !stopWords.has(word.toLowerCase()));
  const asked = new Set(words.map(stemWord)).size;
  for (const strength of STRENGTHS) {
    const found = matchedWords(
      { text: query, tokens: placed(matches.query) },
      { text, tokens: placed(matches.passage) },
      similaritiesOf(matches),
      strength,
    );
    const same = found.filter(({ start, end, key }) => stemWord(text.slice(start, end)) === key).length;
    const sum = sums[kind].get(strength) ?? { passages: 0, asked: 0, answered: 0, same: 0, others: 0 };
    sum.passages++;
    sum.asked += asked;
    sum.answered += new Set(found.map(({ key }) => key)).size;
    sum.same += same;
    sum.others += found.length - same;
    sums[kind].set(strength, sum);
  }
}

const index = await Index.open(folder);
const options = { k: 1, explain: true, syntax: "plain" };
const best = [];
for (const query of queries) {
  const { hits } = await index.search(query, options);
  best.push(hits[0]);
  countWords("own", query, hits[0]);
}
for (const [i, query] of queries.entries()) {
  const { id } = best[(i + FURTHER) % best.length];
  const { hits } = await index.search(query, { ...options, filter: { op: "=", field: "id", value: id } });
  countWords("other", query, hits[0]);
}
await index.close();

console.log(
  "strength  query words answered   own word marked   other words marked   (a passage: its query's, another's)",
);
for (const strength of STRENGTHS) {
  const [own, other] = [sums.own.get(strength), sums.other.get(strength)];
  const share = (sum) => `${Math.round((100 * sum.answered) / sum.asked)} %`.padStart(5);
  const each = (sum, what) => (sum[what] / sum.passages).toFixed(1).padStart(5);
  console.log(
    `${strength.toFixed(2).padStart(8)}  ${share(own)} / ${share(other)}        ${each(own, "same")} / ${each(other, "same")}     ${each(own, "others")} / ${each(other, "others")}`,
  );
}
