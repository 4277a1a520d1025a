/** Calls of a server that speaks the chat completions protocol. */
import { isMaxsimError, MaxsimError } from "../../common/errors.js";
import { Gate } from "../gate.js";
import { type HttpClock, postJson } from "../http.js";
import { secretsOf, shownJson } from "../http-message.js";
import { estimateTokens } from "../tokens.js";
import type { Answer, AnswerToken } from "./answers.js";
import type { Spent } from "./budget.js";
import type { LlmSettings } from "./options.js";
import type { Prompt } from "./prompts.js";

export interface ChatCall {
  readonly prompt: Prompt;
  /** Ask for the probabilities of the tokens of the answer. */
  readonly logprobs: boolean;
  /** At least 1. */
  readonly attempts: number;
  readonly signal: AbortSignal | undefined;
  /** Called before each attempt. */
  readonly onAttempt: () => void;
}

export interface ChatAnswer {
  readonly answer: Answer;
  readonly spent: Spent;
}

const MAX_BYTES = 1024 * 1024;
const TOP_LOGPROBS = 10;
/** Tokens of the frame around the messages, for estimates. */
const FRAME_TOKENS = 16;

/** Tokens of a prompt by estimate. */
export function promptTokens({ system, user }: Prompt): number {
  return estimateTokens(system) + estimateTokens(user) + FRAME_TOKENS;
}

export class ChatClient {
  private readonly closing = new AbortController();
  private readonly gate: Gate;
  private readonly headers: Readonly<Record<string, string>>;
  /** Some servers refuse calls that ask for probabilities. */
  private logprobsRefused = false;

  constructor(
    private readonly settings: LlmSettings,
    parallel: number,
    private readonly clock: HttpClock,
  ) {
    this.gate = new Gate(parallel);
    this.headers = settings.apiKey === undefined ? {} : { authorization: `Bearer ${settings.apiKey}` };
  }

  /** Errors: those of `postJson`, and SERVICE for an answer that is no chat completion. */
  complete(call: ChatCall): Promise<ChatAnswer> {
    const { closing } = this;
    // One of its own for each call: Node warns of more than 10 listeners on one signal.
    const signal = AbortSignal.any(
      call.signal === undefined ? [closing.signal] : [closing.signal, call.signal],
    );
    return this.gate.pass(() => this.completeNow({ ...call, signal }), signal);
  }

  close(): void {
    this.closing.abort();
  }

  private async completeNow(call: ChatCall): Promise<ChatAnswer> {
    const logprobs = call.logprobs && !this.logprobsRefused;
    let left = call.attempts;
    const onAttempt = (): void => {
      left--;
      call.onAttempt();
    };
    try {
      return await this.post({ ...call, logprobs, onAttempt });
    } catch (error) {
      const refused = logprobs && isMaxsimError(error) && error.code === "INVALID_ARGUMENT" && left > 0;
      if (!refused) throw error;
      const answer = await this.post({ ...call, logprobs: false, attempts: left, onAttempt });
      this.logprobsRefused = true;
      return answer;
    }
  }

  private async post({ prompt, logprobs, attempts, signal, onAttempt }: ChatCall): Promise<ChatAnswer> {
    const { url, timeoutMs, retries } = this.settings;
    const { clock } = this;
    onAttempt();
    const { json } = await postJson(
      {
        service: url.host,
        url: url.href,
        headers: this.headers,
        body: this.bodyOf(prompt, logprobs),
        timeoutMs,
        retries: Math.min(retries, attempts - 1),
        maxBytes: MAX_BYTES,
        signal,
        keyVariable: "OPENAI_API_KEY",
      },
      {
        now: () => clock.now(),
        // Each pause is followed by another attempt.
        sleep: (milliseconds, stop) => {
          onAttempt();
          return clock.sleep(milliseconds, stop);
        },
      },
    );
    return this.read(json, prompt);
  }

  private bodyOf(prompt: Prompt, logprobs: boolean): Record<string, unknown> {
    const { model, url, seed, parameters, maxOutputTokens } = this.settings;
    // OpenAI's own models refuse the old name, most other servers do not know the new one.
    const limit = url.hostname === "api.openai.com" ? "max_completion_tokens" : "max_tokens";
    const body: Record<string, unknown> = {
      model,
      messages: [
        { role: "system", content: prompt.system },
        { role: "user", content: prompt.user },
      ],
      temperature: 0,
      [limit]: maxOutputTokens ?? prompt.outputTokens,
      ...(seed === undefined ? {} : { seed }),
      ...(logprobs ? { logprobs: true, top_logprobs: TOP_LOGPROBS } : {}),
      ...parameters,
    };
    return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
  }

  private read(json: unknown, prompt: Prompt): ChatAnswer {
    const choice = fieldOf(fieldOf(json, "choices"), "0");
    const text = contentText(fieldOf(fieldOf(choice, "message"), "content"));
    if (text === undefined) {
      const found = shownJson(json, secretsOf(new Headers(this.headers)));
      throw new MaxsimError(
        "SERVICE",
        `${this.settings.url.host} must answer with choices[0].message.content, found ${found}`,
        {
          hint: "Check that baseUrl is the address of a server with chat completions, and the model's name.",
        },
      );
    }
    const cut = fieldOf(choice, "finish_reason") === "length";
    const tokens = tokensOf(fieldOf(fieldOf(choice, "logprobs"), "content"));
    return { answer: { text, cut, tokens }, spent: spentOf(fieldOf(json, "usage"), prompt, text) };
  }
}

function spentOf(usage: unknown, prompt: Prompt, text: string): Spent {
  const input = countOf(fieldOf(usage, "prompt_tokens"));
  const output = countOf(fieldOf(usage, "completion_tokens"));
  return {
    input: input ?? promptTokens(prompt),
    output: output ?? estimateTokens(text),
    estimated: input === undefined || output === undefined,
  };
}

function countOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

/** A text, or the texts of an array of parts. */
function contentText(content: unknown): string | undefined {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return undefined;
  const texts = content.map((part: unknown) => fieldOf(part, "text"));
  return texts.filter((text) => typeof text === "string").join("");
}

function tokensOf(content: unknown): AnswerToken[] {
  if (!Array.isArray(content)) return [];
  return content.flatMap((place: unknown) => {
    const token = fieldOf(place, "token");
    const top = fieldOf(place, "top_logprobs");
    if (typeof token !== "string") return [];
    const alternatives = (Array.isArray(top) ? top : []).flatMap((other: unknown) => {
      const name = fieldOf(other, "token");
      const logprob = fieldOf(other, "logprob");
      const sound = typeof name === "string" && typeof logprob === "number" && !Number.isNaN(logprob);
      return sound ? [{ token: name, logprob }] : [];
    });
    return [{ token, alternatives }];
  });
}
