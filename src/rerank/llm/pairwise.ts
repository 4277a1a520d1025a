/**
 * Ranking by comparisons of two documents: pairwise ranking prompting, Qin et al. 2023, "Large Language Models are Effective Text
 * Rankers with Pairwise Ranking Prompting".
 *
 * Each pair is asked twice, with either document first; only where both answers agree, one is better. That cancels a model's liking
 * for the first or the second place.
 */
import { readChoice } from "./answers.js";
import type { Job } from "./job.js";
import { pairwisePrompt } from "./prompts.js";

/** Positions of `texts`, best first. Without a clear better one of two, the first stage's order holds. */
export function rankPairwise(job: Job, query: string, texts: readonly string[]): Promise<number[]> {
  const compare = comparer(job, query, texts);
  return texts.length <= job.settings.allPairs
    ? allPairs(job, texts.length, compare)
    : slidingTop(job, texts.length, compare);
}

/** 1 where the first document is better, -1 where the second is, 0 where it is not clear. */
type Compare = (a: number, b: number) => Promise<-1 | 0 | 1>;

/** PRP-Allpair: by wins, half a one for each pair without a clear better one. n (n - 1) calls. */
async function allPairs(job: Job, count: number, compare: Compare): Promise<number[]> {
  // Neighbours first, so that calls which end early leave each document with as many comparisons as the others.
  const pairs: (readonly [number, number])[] = [];
  for (let distance = 1; distance < count; distance++) {
    for (let a = 0; a + distance < count; a++) pairs.push([a, a + distance]);
  }
  const results = await job.each(pairs, ([a, b]) => compare(a, b));
  const wins = new Array<number>(count).fill(0);
  pairs.forEach(([a, b], i) => {
    const better = results[i] ?? 0;
    wins[a]! += better;
    wins[b]! -= better;
  });
  return Array.from(wins.keys()).sort((a, b) => wins[b]! - wins[a]! || a - b);
}

/**
 * PRP-Sliding-K: `top` passes from the back to the front, in which the better of two neighbours moves on. Pairs that met before are not
 * asked again, and a pass that moves nothing is the last: a good first stage takes little more than 2 (n - 1) calls, none more than
 * 2 top (n - 1).
 */
async function slidingTop(job: Job, count: number, compare: Compare): Promise<number[]> {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let front = 0; front < Math.min(job.settings.top, count - 1); front++) {
    let moved = false;
    for (let place = count - 1; place > front; place--) {
      if (job.stopped) return order;
      const [upper, lower] = [order[place - 1]!, order[place]!];
      if ((await compare(upper, lower)) >= 0) continue;
      order[place - 1] = lower;
      order[place] = upper;
      moved = true;
    }
    if (!moved) break;
  }
  return order;
}

function comparer(job: Job, query: string, texts: readonly string[]): Compare {
  const known = new Map<string, -1 | 0 | 1>();
  /** Position of the better one, asked with `first` first. */
  const ask = async (first: number, second: number): Promise<number | undefined> => {
    const prompt = pairwisePrompt(query, texts[first]!, texts[second]!);
    const choice = await job.ask(prompt, (answer) => readChoice(answer, prompt.ids));
    return choice === undefined ? undefined : [first, second][choice];
  };
  return async (a, b) => {
    const before = known.get(`${a} ${b}`);
    if (before !== undefined) return before;
    const [one, other] = await Promise.all([ask(a, b), ask(b, a)]);
    const better = one === undefined || one !== other ? 0 : one === a ? 1 : -1;
    known.set(`${a} ${b}`, better);
    known.set(`${b} ${a}`, better === 0 ? 0 : better === 1 ? -1 : 1);
    return better;
  };
}
