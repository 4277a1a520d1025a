/** Answers of language models, read by the letter: what is not of the form that was asked for is no answer. */
import { MaxsimError } from "../../common/errors.js";
import { shown } from "../http-message.js";
import { MAX_GRADE } from "./prompts.js";

/** One token of an answer, with the tokens that could have stood in its place and the logarithms of their probabilities. */
export interface AnswerToken {
  readonly token: string;
  readonly alternatives: ReadonlyArray<{ readonly token: string; readonly logprob: number }>;
}

export interface Answer {
  readonly text: string;
  /** True where the server stopped the model at the limit of tokens. */
  readonly cut: boolean;
  /** Empty where the server does not tell. */
  readonly tokens: readonly AnswerToken[];
}

export interface NamedOrder {
  /** Positions in the prompt, as often as they were named. */
  readonly named: readonly number[];
  /** Names that are none of the ids. */
  readonly unknown: number;
}

/** Share of the probability that the grades must have for their mean to count. */
const LEAST_MASS = 0.5;
/** Characters of an answer that is read, of one name in it, and of one that is a grade: longer ones are no answers. */
const MAX_ANSWER = 100_000;
const MAX_NAME = 64;
const MAX_GRADE_ANSWER = 100;
/** Characters of an answer in messages. */
const MAX_SHOWN = 60;

/** Positions of the ids that the answer names, in its order. Errors: SERVICE where it names none. */
export function readOrder(answer: Answer, ids: readonly string[]): NamedOrder {
  const names = namesOf(answer);
  const positions = names.map((name) => ids.indexOf(name));
  const named = positions.filter((position) => position >= 0);
  if (named.length === 0) throw unusable(answer, "ids of passages");
  return { named, unknown: names.length - named.length };
}

/** Position, 0 or 1, of the one id that the answer is. Errors: SERVICE. */
export function readChoice(answer: Answer, ids: readonly string[]): number {
  const names = namesOf(answer);
  const choice = names.length === 1 ? ids.indexOf(names[0]!) : -1;
  if (choice < 0) throw unusable(answer, "the id of one passage");
  return choice;
}

/**
 * A grade from 0 to 3. Where the server tells the probabilities of the digits, it is their mean, weighted by them, which tells apart
 * what one digit cannot. Errors: SERVICE for anything but a digit.
 */
export function readGrade(answer: Answer): number {
  const plain = withoutThoughts(answer).trim();
  if (plain.length > MAX_GRADE_ANSWER) throw unusable(answer, `a grade from 0 to ${MAX_GRADE}`);
  const digit =
    /^[\s"'`*_([{]*(?:(?:grade|score|relevance)["'*_]*\s*[:=]\s*)?["'*_]*([0-3])[\s"'`*_.)\]}]*$/i.exec(
      plain,
    )?.[1];
  if (digit === undefined) throw unusable(answer, `a grade from 0 to ${MAX_GRADE}`);
  const place = answer.tokens.findLast(({ token }) => token.trim() === digit);
  return place === undefined ? Number(digit) : meanGrade(place, Number(digit));
}

function meanGrade({ alternatives }: AnswerToken, digit: number): number {
  let mass = 0;
  let sum = 0;
  for (const { token, logprob } of alternatives) {
    const grade = token.trim();
    if (!/^[0-3]$/.test(grade)) continue;
    const probability = Math.exp(Math.min(0, logprob));
    mass += probability;
    sum += probability * Number(grade);
  }
  return mass < LEAST_MASS ? digit : sum / mass;
}

/** The items of a list in any of the forms that models give it: a > b, a, b, one a line with numbers or not, JSON. */
function namesOf(answer: Answer): string[] {
  const bare = withoutThoughts(answer).trim();
  if (bare.length > MAX_ANSWER) throw unusable(answer, "nothing but a list of ids");
  const plain = bare.replace(/^```\w*\n|```$/g, "");
  return jsonNames(plain) ?? plainNames(plain);
}

function plainNames(text: string): string[] {
  // A word with a colon before the list, such as "Order:".
  const list = text.replace(/^[\w ]{1,40}:\s/, "");
  const names = list.split(/[>,;\n]/).map((item) => {
    if (item.length > MAX_NAME) return item;
    const bare = item.trim().replace(/^(?:\d{1,3}[.)]\s|[-*•]\s)/, "");
    return bare.replace(/^[\s[("'`*{]+|[\s\])"'`*}.]+$/g, "").toLowerCase();
  });
  return names.filter((name) => name !== "");
}

/** The texts of a JSON array, or of an object's only value; undefined for what is no JSON. */
function jsonNames(text: string): string[] | undefined {
  const value = jsonOf(text);
  if (typeof value !== "object" || value === null) return undefined;
  const values = Object.values(value);
  const items = Array.isArray(value) ? value : values.length === 1 ? [values[0]].flat() : [];
  return items.map((item: unknown) => (typeof item === "string" ? item.trim().toLowerCase() : ""));
}

function jsonOf(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    // "[a] > [b]" starts like JSON and is a list all the same.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The answer behind the thoughts that some models write down first. */
function withoutThoughts(answer: Answer): string {
  const start = /^\s*<think(?:ing)?>/i.exec(answer.text);
  if (start === null) return answer.text;
  const end = /<\/think(?:ing)?>/i.exec(answer.text);
  if (end === null) throw unusable(answer, "an answer after its thoughts");
  return answer.text.slice(end.index + end[0].length);
}

function unusable(answer: Answer, expected: string): MaxsimError {
  const start = shown(answer.text.trim().slice(0, MAX_SHOWN), []);
  const found = start === "" ? "nothing" : JSON.stringify(start);
  return new MaxsimError(
    "SERVICE",
    `the model must answer with ${expected}, found ${found}${answer.cut ? ", cut off at the limit of tokens" : ""}`,
    answer.cut
      ? { hint: "Raise maxOutputTokens: models that think first need a few thousand." }
      : { hint: "Another model may follow instructions better." },
  );
}
