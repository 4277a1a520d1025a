/** Ranking by permutations of windows: RankGPT, Sun et al. 2023, "Is ChatGPT Good at Search?". */
import { Random } from "../../common/random.js";
import { readOrder } from "./answers.js";
import type { Job } from "./job.js";
import { limitRise, meanOrder, repairOrder, windowSpans } from "./orders.js";
import { listwisePrompt } from "./prompts.js";

const DEFAULT_SEED = 42;

/** Positions of `texts`, best first. A window without a usable answer stays as it is. */
export async function rankListwise(job: Job, query: string, texts: readonly string[]): Promise<number[]> {
  const { windowSize, step, rounds, seed = DEFAULT_SEED } = job.settings;
  const random = new Random(seed);
  let order = Array.from(texts.keys());
  for (let round = 0; round < rounds; round++) {
    const before = order;
    for (const { start, end } of windowSpans(texts.length, windowSize, step)) {
      if (job.stopped) return order;
      const window = order.slice(start, end);
      const ranked = await rankWindow(
        job,
        query,
        window.map((position) => texts[position]!),
        random,
      );
      order = [...order.slice(0, start), ...ranked.map((i) => window[i]!), ...order.slice(end)];
    }
    // The next round would ask the very same.
    if (order.every((position, i) => position === before[i])) return order;
  }
  return order;
}

/** Positions in the window, best first: the mean of the passes. */
async function rankWindow(
  job: Job,
  query: string,
  passages: readonly string[],
  random: Random,
): Promise<readonly number[]> {
  const { passes } = job.settings;
  const inOrder = Array.from(passages.keys());
  const shown = Array.from({ length: passes }, (_, pass) =>
    pass === 0 ? inOrder : shuffled(inOrder, random),
  );
  const orders = await job.each(shown, (presented) => rankShown(job, query, passages, presented));
  const known = orders.filter((order) => order !== undefined);
  return known.length === 0 ? inOrder : meanOrder(known);
}

/** One call. `presented`: positions in the window in the order in which the model sees them. */
async function rankShown(
  job: Job,
  query: string,
  passages: readonly string[],
  presented: readonly number[],
): Promise<number[] | undefined> {
  const prompt = listwisePrompt(
    query,
    presented.map((position) => passages[position]!),
  );
  const answer = await job.ask(prompt, (given) => readOrder(given, prompt.ids));
  if (answer === undefined) return undefined;
  const named = answer.named.map((place) => presented[place]!);
  const { order, repairs } = repairOrder(named, passages.length, answer.unknown);
  job.countRepairs(repairs);
  return limitRise(order, job.settings.maxRise);
}

/** Fisher and Yates. */
function shuffled(items: readonly number[], random: Random): number[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}
