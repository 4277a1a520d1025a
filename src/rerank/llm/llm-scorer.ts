/** A language model as a scorer: texts made fit for prompts, ranked by one of three methods. */
import { createHash } from "node:crypto";
import { MaxsimError } from "../../common/errors.js";
import { type HttpClock, SYSTEM_CLOCK } from "../http-retry.js";
import {
  type DocumentScores,
  orderScores,
  type ScoreOptions,
  type ScoreRequest,
  type Scorer,
} from "../scorer.js";
import { cutToTokens } from "../tokens.js";
import { Budget } from "./budget.js";
import { ChatClient } from "./chat.js";
import { Job } from "./job.js";
import { rankListwise } from "./listwise.js";
import { neutralText } from "./neutral-text.js";
import type { LlmSettings } from "./options.js";
import { rankPairwise } from "./pairwise.js";
import { gradePointwise } from "./pointwise.js";
import { PROMPT_VERSION } from "./prompts.js";

const DEFAULT_MAX_TOKENS = 400;
const MAX_QUERY_TOKENS = 1_000;
/** Characters of a token that are looked at: blanks and what cannot be seen take no tokens, and time all the same. */
const CHARACTERS_A_TOKEN = 32;

export interface LlmScorerOptions {
  /** Calls at the same time. */
  readonly parallel: number;
  /** Whether a query without any usable answer fails or gives the first stage's order. */
  readonly onFailure: "error" | "first-stage";
  readonly clock?: HttpClock;
}

export class LlmScorer implements Scorer {
  readonly name = "llm";
  readonly model: string;
  readonly dependsOn: Scorer["dependsOn"];
  readonly batches = "one";
  readonly defaultMaxTokens = DEFAULT_MAX_TOKENS;
  private readonly client: ChatClient;

  constructor(
    private readonly settings: LlmSettings,
    private readonly options: LlmScorerOptions,
  ) {
    this.model = settings.model;
    this.dependsOn = settings.method === "pointwise" ? "document" : "list";
    this.client = new ChatClient(settings, options.parallel, options.clock ?? SYSTEM_CLOCK);
  }

  /** Of everything that the answers depend on; not of key, times and caps, which decide only whether there are any. */
  async fingerprint(): Promise<string> {
    const { apiKey, timeoutMs, retries, caps, price, url, ...rest } = this.settings;
    const settings = Object.entries({ ...rest, url: url.href, prompts: PROMPT_VERSION }).sort();
    // JSON has no Infinity.
    const text = JSON.stringify(settings, (_, value) =>
      value === Number.POSITIVE_INFINITY ? "none" : value,
    );
    return `llm ${createHash("sha256").update(text).digest("hex")}`;
  }

  async score(requests: readonly ScoreRequest[], options: ScoreOptions): Promise<DocumentScores[]> {
    const results: DocumentScores[] = [];
    for (const request of requests) results.push(await this.scoreOne(request, options));
    return results;
  }

  async close(): Promise<void> {
    this.client.close();
  }

  private async scoreOne(
    { query, documents }: ScoreRequest,
    { maxTokensPerDocument, signal }: ScoreOptions,
  ): Promise<DocumentScores> {
    const { settings, options } = this;
    const list = settings.method !== "pointwise";
    if (list && documents.length === 1) return { scores: orderScores(1) };
    const question = fitted(query, MAX_QUERY_TOKENS);
    const passages = documents.map(({ text }) => fitted(text, maxTokensPerDocument));
    const texts = passages.map(({ text }) => text);
    const cut = passages.filter((passage) => passage.cut).length;
    const cuts = cutWarnings(question.cut, cut, documents.length, maxTokensPerDocument);
    const budget = new Budget(settings.caps, settings.price, options.parallel);
    const job = new Job(settings, this.client, budget, options.parallel, signal);
    const scores = list
      ? scoresOf(
          await (settings.method === "listwise" ? rankListwise : rankPairwise)(job, question.text, texts),
        )
      : await gradePointwise(job, question.text, texts);
    const warnings = job.warnings();
    if (!job.succeeded) return this.failed(job, warnings, documents.length);
    // What is cut is cut the same way each time.
    return {
      scores,
      ...(job.complete ? {} : { complete: false as const }),
      keep: warnings.length === 0,
      warnings: [...cuts, ...warnings],
      usage: budget.usage(),
    };
  }

  /** Errors: that of the first call, or BUDGET_EXCEEDED. INVALID_ARGUMENT in any case. */
  private failed(job: Job, warnings: readonly string[], count: number): DocumentScores {
    const error =
      job.failure ??
      new MaxsimError(
        "BUDGET_EXCEEDED",
        `no call could be made, since ${job.cappedBy ?? "there was nothing to ask"}`,
        {
          hint: "Raise the cap, or hand over fewer or shorter documents.",
        },
      );
    if (this.options.onFailure === "error" || error.code === "INVALID_ARGUMENT") throw error;
    return { scores: orderScores(count), reranked: false, warnings, usage: job.budget.usage() };
  }
}

/** The score of each document where `order` are their positions, best first. */
function scoresOf(order: readonly number[]): Float64Array {
  const places = orderScores(order.length);
  const scores = new Float64Array(order.length);
  order.forEach((position, place) => {
    scores[position] = places[place]!;
  });
  return scores;
}

function fitted(text: string, maxTokens: number): { readonly text: string; readonly cut: boolean } {
  const looked = text.slice(0, maxTokens * CHARACTERS_A_TOKEN);
  const neutral = neutralText(looked);
  const short = cutToTokens(neutral, maxTokens).trimEnd();
  return { text: short, cut: short !== neutral || looked !== text };
}

function cutWarnings(query: boolean, cut: number, count: number, maxTokens: number): string[] {
  const warnings = query ? [`the query was cut at about ${MAX_QUERY_TOKENS} tokens`] : [];
  if (cut > 0) warnings.push(`${cut} of ${count} documents were cut at about ${maxTokens} tokens`);
  return warnings;
}
