/** A small corpus in our own words: each document answers a question that shares few words with it. */
import type { DocumentInput } from "../../src/documents/types.js";

export const NOTES: readonly DocumentInput[] = [
  {
    id: "tea",
    title: "Brewing tea",
    text: "Green leaves turn bitter in boiling water. Let the kettle cool for five minutes, then pour and wait two.",
    metadata: { topic: "kitchen" },
  },
  {
    id: "bicycle",
    title: "Flat tyres",
    text: "Take the wheel out, lever the rubber off the rim and look for the hole with a bowl of water. Glue a patch on it.",
    metadata: { topic: "workshop", tags: ["repair"] },
  },
  {
    id: "sleep",
    title: "Falling asleep",
    text: "Bright screens late in the evening keep the brain awake. A dark, cool bedroom and a fixed hour help.",
  },
  {
    id: "sqlite",
    title: "Write-ahead log",
    text: "In WAL mode a commit appends pages to a separate file. A checkpoint copies them back into the database.",
  },
  {
    id: "tomatoes",
    title: "Growing tomatoes",
    text: "Seedlings want warmth and light. Put them outdoors after the last frost and pinch out the side shoots.",
  },
  {
    id: "git",
    title: "Undoing a commit",
    text: "git reset --soft HEAD~1 moves the branch back by one and keeps your changes staged, so nothing is lost.",
  },
  {
    id: "volcano",
    title: "Eruptions",
    text: "Gas dissolved in molten rock expands as it rises, and the pressure breaks through the crust of the mountain.",
  },
  {
    id: "budget",
    title: "Household money",
    text: "Write down what comes in and what goes out each month. Put a tenth aside before you spend the rest.",
  },
];

export const QUESTIONS: readonly (readonly [question: string, id: string])[] = [
  ["why does my drink taste harsh", "tea"],
  ["how do I repair a puncture", "bicycle"],
  ["I lie awake at night, what can I do", "sleep"],
  ["how does the database journal work", "sqlite"],
  ["when should I plant vegetables in the garden", "tomatoes"],
  ["go back to before my last revision", "git"],
  ["why do mountains explode", "volcano"],
  ["how do I manage my income and expenses", "budget"],
];
