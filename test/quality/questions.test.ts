/** The whole engine with the bundled model on forty passages: right answers, by every plan and number of bits. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Index } from "../../src/engine/index.js";
import type { SearchTuning } from "../../src/search/parameters.js";
import { tempFolder } from "../support/temp-folder.js";
import { PASSAGES, QUESTIONS } from "./passages.js";

const folder = tempFolder();

const PLANS: readonly (readonly [plan: string, tuning: SearchTuning])[] = [
  ["exhaustive", { effort: "exact" }],
  ["pruned", { exhaustiveTokens: 0 }],
];

describe.each([4, 2] as const)("%i bits", (nbits) => {
  test("each question finds its passage among the first three", async () => {
    const index = await Index.create(join(folder, String(nbits)), { nbits });
    try {
      await index.add(PASSAGES);
      for (const [plan, tuning] of PLANS) {
        const found = [];
        for (const [question, id] of QUESTIONS) {
          const { hits, explanation } = await index.search(question, { k: 3, explain: true, ...tuning });
          expect(explanation?.plan).toBe(plan);
          found.push(hits.some((hit) => hit.id === id) ? id : `${id}, found ${hits.map((hit) => hit.id)}`);
        }
        expect(found).toEqual(QUESTIONS.map(([, id]) => id));
      }
    } finally {
      await index.close();
    }
  });
});
