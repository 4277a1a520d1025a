/** Ranking by grades of single documents, after Zhuang et al. 2023, "Beyond Yes and No". */
import { readGrade } from "./answers.js";
import type { Job } from "./job.js";
import { pointwisePrompt } from "./prompts.js";

/** A grade from 0 to 3 for each of `texts`; those without a usable answer stay where the first stage had them. */
export async function gradePointwise(job: Job, query: string, texts: readonly string[]): Promise<number[]> {
  const grades = await job.each(texts, (text) => job.ask(pointwisePrompt(query, text), readGrade));
  return fillGrades(grades);
}

/**
 * Grades for the documents that have none, such that each stands at its own place among the others: the mean of the grades before and
 * behind it. All 0 where there is none at all.
 */
export function fillGrades(grades: readonly (number | undefined)[]): number[] {
  const graded = Array.from(grades.keys()).filter((i) => grades[i] !== undefined);
  graded.sort((a, b) => grades[b]! - grades[a]! || a - b);
  const best = graded.values();
  const order = grades.map((grade, place) => (grade === undefined ? place : best.next().value!));
  const filled = grades.map((grade) => grade ?? 0);
  let before: number | undefined;
  order.forEach((position, place) => {
    if (grades[position] !== undefined) {
      before = grades[position];
      return;
    }
    const next = order.slice(place).find((other) => grades[other] !== undefined);
    const behind = next === undefined ? before : grades[next];
    filled[position] = ((before ?? behind ?? 0) + (behind ?? before ?? 0)) / 2;
  });
  return filled;
}
