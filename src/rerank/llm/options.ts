/** What a language model as a reranker can be told, and the checks of it. */
import { checkInteger, checkNumber, checkOneOf, checkString, invalidArgument } from "../../common/check.js";
import { MaxsimError } from "../../common/errors.js";
import { checkUrl } from "../http.js";
import type { ScoringOptions } from "../scoring-reranker.js";
import type { Caps, TokenPrice } from "./budget.js";

export type LlmMethod = "listwise" | "pairwise" | "pointwise";

export interface LlmOptions extends ScoringOptions {
  /** The model as its server calls it. */
  readonly model: string;
  /**
   * "listwise" (default) asks for the order of up to `windowSize` documents at once, "pairwise" for the better of two, "pointwise" for
   * the grade of one.
   */
  readonly method?: LlmMethod;
  /** Where `/chat/completions` is. Default: the environment variable OPENAI_BASE_URL, else https://api.openai.com/v1. */
  readonly baseUrl?: string;
  /**
   * Default: the environment variable OPENAI_API_KEY, which is sent to the server of the default `baseUrl` alone. Local servers need none.
   */
  readonly apiKey?: string;
  /** Milliseconds of one attempt. Default 60,000. */
  readonly timeoutMs?: number;
  /** Attempts after the first. Default 3. */
  readonly retries?: number;
  /** Handed to the server, and what shuffled passes are shuffled by. Default: none is handed over, shuffles start from 42. */
  readonly seed?: number;
  /** Tokens of an answer. Default: what the ids need. Models that think first need a few thousand. */
  readonly maxOutputTokens?: number;
  /** More fields of the body of a call, such as `reasoning_effort`; null leaves out a field, such as `temperature`. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Per million tokens: what `cost` is computed from. */
  readonly price?: TokenPrice;
  /** Calls for one query, attempts included. Default: no cap, as for the next two. */
  readonly maxRequests?: number;
  /** Tokens of prompts and answers for one query. */
  readonly maxTokens?: number;
  /** In the currency of `price`, for one query. */
  readonly maxCost?: number;
  /** Listwise: documents of a call, from 2 to 100. Default 20. */
  readonly windowSize?: number;
  /** Listwise: places by which the window moves to the front, less than `windowSize`. Default: half of it. */
  readonly step?: number;
  /** Listwise: times that the window goes from the back to the front. Default 1. */
  readonly rounds?: number;
  /**
   * Listwise: calls for each window, the first with the documents in their order, the others shuffled; the mean place counts. More than
   * 1 evens out that models favour places. Default 1.
   */
  readonly passes?: number;
  /** Listwise: places that a document can rise by one call. Default: to the front of its window. */
  readonly maxRise?: number;
  /** Pairwise: best places that are sorted out where there are more than `allPairs` documents. Default 10. */
  readonly top?: number;
  /** Pairwise: up to so many documents each is compared with each. Default 8. */
  readonly allPairs?: number;
  /** Pointwise: asks for the probabilities of the grades, where the server has them. Default true. */
  readonly logprobs?: boolean;
}

/** Options after their checks. */
export interface LlmSettings {
  readonly model: string;
  readonly method: LlmMethod;
  /** Of chat/completions. */
  readonly url: URL;
  readonly apiKey: string | undefined;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly seed: number | undefined;
  readonly maxOutputTokens: number | undefined;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly price: TokenPrice | undefined;
  readonly caps: Caps;
  readonly windowSize: number;
  readonly step: number;
  readonly rounds: number;
  readonly passes: number;
  readonly maxRise: number;
  readonly top: number;
  readonly allPairs: number;
  readonly logprobs: boolean;
}

const DEFAULT_BASE_URL = "https://api.openai.com/v1";
const METHODS = ["listwise", "pairwise", "pointwise"] as const;
const OWN: Readonly<Record<LlmMethod, readonly (keyof LlmOptions)[]>> = {
  listwise: ["windowSize", "step", "rounds", "passes", "maxRise"],
  pairwise: ["top", "allPairs"],
  pointwise: ["logprobs"],
};
/** Fields that hold what a ranking is made of, or would let a model do more than answer. */
const FIXED_FIELDS: ReadonlySet<string> = new Set([
  "model",
  "messages",
  "stream",
  "n",
  "tools",
  "tool_choice",
  "functions",
  "function_call",
  "web_search_options",
]);

/** Errors: INVALID_ARGUMENT. */
export function checkLlmOptions(
  options: LlmOptions,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): LlmSettings {
  const { model } = options;
  if (typeof model !== "string" || model.trim() === "") {
    throw invalidArgument("model", "the name of a model", model, "Such as the name that the server lists.");
  }
  const method = checkOneOf("method", options.method ?? "listwise", METHODS);
  checkMethod(options, method);
  const windowSize = checkInteger("windowSize", options.windowSize ?? 20, 2, 100);
  const integer = (name: "rounds" | "passes" | "top" | "allPairs", by: number, min: number, max: number) =>
    checkInteger(name, options[name] ?? by, min, max);
  return {
    model,
    method,
    ...checkServer(options, environment),
    timeoutMs: checkInteger("timeoutMs", options.timeoutMs ?? 60_000, 1, 3_600_000),
    retries: checkInteger("retries", options.retries ?? 3, 0, 20),
    seed: options.seed === undefined ? undefined : checkInteger("seed", options.seed, 0, 2 ** 31 - 1),
    maxOutputTokens:
      options.maxOutputTokens === undefined
        ? undefined
        : checkInteger("maxOutputTokens", options.maxOutputTokens, 1, 1_000_000),
    parameters: checkParameters(options.parameters),
    ...checkCaps(options),
    windowSize,
    step: checkInteger("step", options.step ?? Math.floor(windowSize / 2), 1, windowSize - 1),
    rounds: integer("rounds", 1, 1, 10),
    passes: integer("passes", 1, 1, 20),
    maxRise:
      options.maxRise === undefined ? Number.POSITIVE_INFINITY : checkInteger("maxRise", options.maxRise, 1),
    top: integer("top", 10, 1, 10_000),
    allPairs: integer("allPairs", 8, 0, 100),
    logprobs: checkOneOf("logprobs", String(options.logprobs ?? true), ["true", "false"] as const) === "true",
  };
}

function checkMethod(options: LlmOptions, method: LlmMethod): void {
  for (const other of METHODS) {
    const name = OWN[other].find((own) => options[own] !== undefined);
    if (other === method || name === undefined) continue;
    throw new MaxsimError(
      "INVALID_ARGUMENT",
      `${name} is an option of the method ${other}, not of ${method}`,
    );
  }
}

function checkServer(
  options: LlmOptions,
  environment: Readonly<Record<string, string | undefined>>,
): Pick<LlmSettings, "url" | "apiKey"> {
  const fromEnvironment = environment.OPENAI_BASE_URL || undefined;
  const byDefault = fromEnvironment ?? DEFAULT_BASE_URL;
  const given = options.baseUrl;
  const url = given === undefined ? checkUrl("OPENAI_BASE_URL", byDefault) : checkUrl("baseUrl", given);
  // A key goes where it was meant to go: not to whatever server a caller names.
  const meant = given === undefined || (URL.canParse(byDefault) && new URL(byDefault).origin === url.origin);
  const apiKey = options.apiKey ?? (meant ? environment.OPENAI_API_KEY : undefined);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/chat/completions`;
  return {
    url,
    apiKey: apiKey === undefined ? undefined : checkString("apiKey", apiKey).trim() || undefined,
  };
}

function checkParameters(parameters: unknown): Readonly<Record<string, unknown>> {
  if (parameters === undefined) return {};
  if (typeof parameters !== "object" || parameters === null || Array.isArray(parameters)) {
    throw invalidArgument("parameters", "an object with fields of the body of a call", parameters);
  }
  const fixed = Object.keys(parameters).find((name) => FIXED_FIELDS.has(name));
  if (fixed !== undefined) {
    throw new MaxsimError("INVALID_ARGUMENT", `parameters must not have ${fixed}, which the reranker sets`);
  }
  return { ...parameters };
}

function checkCaps(options: LlmOptions): Pick<LlmSettings, "price" | "caps"> {
  const { maxRequests, maxTokens, maxCost } = options;
  const price =
    options.price === undefined
      ? undefined
      : {
          input: checkNumber("price.input", options.price.input, 0),
          output: checkNumber("price.output", options.price.output, 0),
        };
  if (maxCost !== undefined && price === undefined) {
    throw new MaxsimError("INVALID_ARGUMENT", "maxCost needs the option price", {
      hint: "Give price: { input, output }, the cost of a million tokens.",
    });
  }
  const none = Number.POSITIVE_INFINITY;
  return {
    price,
    caps: {
      maxRequests: maxRequests === undefined ? none : checkInteger("maxRequests", maxRequests, 1),
      maxTokens: maxTokens === undefined ? none : checkInteger("maxTokens", maxTokens, 1),
      maxCost: maxCost === undefined ? none : checkNumber("maxCost", maxCost, 0),
    },
  };
}
