/** What all clients of reranking services share: batches, cut documents, checked answers, usage and cost. */
import { createHash } from "node:crypto";
import { setMaxListeners } from "node:events";
import { checkInteger, checkNumber, checkString, invalidArgument } from "../../common/check.js";
import { Gate } from "../gate.js";
import { postJson } from "../http.js";
import { messageOf, secretsOf, shown } from "../http-message.js";
import type { DocumentScores, ScoreOptions, ScoreRequest, Scorer } from "../scorer.js";
import { type ScoringOptions, ScoringReranker } from "../scoring-reranker.js";
import { cutToTokens } from "../tokens.js";
import type { Reranker, RerankUsage } from "../types.js";
import { addUsage, NO_USAGE } from "../usage.js";
import { type ScoreRows, scoresOf } from "./answers.js";
import { batchesOf } from "./batches.js";
import { type Connection, type ConnectionOptions, connectionOf, type ServicePlace } from "./connection.js";

/** What a service charges, in any currency; `RerankUsage.cost` is in the same. */
export interface ServicePrice {
  readonly perThousandSearchUnits?: number;
  readonly perMillionTokens?: number;
}

export interface ServiceOptions extends ScoringOptions, ConnectionOptions {
  /** Default: the service's current model. */
  readonly model?: string;
  /** Of one attempt, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  /** Attempts after the first. Default 3. */
  readonly retries?: number;
  /** Default: no cost is reported. */
  readonly price?: ServicePrice;
  /** Documents that are sent in one call at most. Default: what the service takes. */
  readonly batchSize?: number;
}

/** The part of a request that is sent in one call. */
export interface ServiceRequest {
  readonly model: string;
  readonly query: string;
  readonly documents: readonly string[];
  readonly maxTokensPerDocument: number;
}

/** What an answer says. */
export interface ServiceAnswer {
  readonly scores: ScoreRows;
  readonly usage: Partial<Pick<RerankUsage, "inputTokens" | "outputTokens" | "searchUnits">>;
  readonly warnings?: readonly string[];
}

/** How one service is spoken to. */
export interface Service extends ServicePlace {
  readonly defaultModel: string;
  /** Documents and estimated tokens of one call. */
  readonly limits: { readonly documents: number; readonly tokens?: number };
  /** True where the service itself cuts documents after `maxTokensPerDocument`. */
  readonly cutsDocuments: boolean;
  /** Whether the scores of a model are those of the documents alone. */
  readonly dependsOn: (model: string) => Scorer["dependsOn"];
  readonly body: (request: ServiceRequest) => unknown;
  readonly read: (json: unknown, headers: Headers) => ServiceAnswer;
}

const DEFAULT_MAX_TOKENS = 4_096;
const DEFAULT_CONCURRENCY = 4;

/**
 * A reranker that asks a service. Its calls fail with UNAUTHORIZED, RATE_LIMITED, TIMEOUT, NETWORK, INVALID_ARGUMENT (the service
 * refuses the model or a document) and SERVICE (it fails, or a document has no score). Errors: UNAUTHORIZED without a key,
 * INVALID_ARGUMENT.
 */
export function serviceReranker(service: Service, options: ServiceOptions): Reranker {
  const concurrency = checkInteger("concurrency", options.concurrency ?? DEFAULT_CONCURRENCY, 1, 256);
  return new ScoringReranker(new ServiceScorer(service, options, concurrency), { ...options, concurrency });
}

class ServiceScorer implements Scorer {
  readonly name: string;
  readonly model: string;
  readonly dependsOn: Scorer["dependsOn"];
  readonly batches = "one";
  readonly defaultMaxTokens = DEFAULT_MAX_TOKENS;
  private readonly connection: Connection;
  private readonly batchSize: number;
  private readonly price: Required<ServicePrice>;
  private readonly gate: Gate;
  private readonly closing = new AbortController();

  constructor(
    private readonly service: Service,
    private readonly options: ServiceOptions,
    concurrency: number,
  ) {
    const { documents } = service.limits;
    this.name = service.name;
    this.model = checkString("model", options.model ?? service.defaultModel);
    if (this.model === "" && service.defaultModel !== "") {
      throw invalidArgument("model", `the name of a model of ${service.name}`, this.model);
    }
    this.dependsOn = service.dependsOn(this.model);
    this.connection = connectionOf(service, options);
    this.batchSize = checkInteger("batchSize", options.batchSize ?? documents, 1);
    const { perThousandSearchUnits = 0, perMillionTokens = 0 } = options.price ?? {};
    this.price = {
      perThousandSearchUnits: checkNumber("price.perThousandSearchUnits", perThousandSearchUnits, 0),
      perMillionTokens: checkNumber("price.perMillionTokens", perMillionTokens, 0),
    };
    this.gate = new Gate(concurrency);
    // One of each request under way; Node takes more than 10 for a leak.
    setMaxListeners(0, this.closing.signal);
  }

  async fingerprint(): Promise<string> {
    const parts = [this.name, this.model, this.connection.url];
    return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  }

  async score(requests: readonly ScoreRequest[], options: ScoreOptions): Promise<DocumentScores[]> {
    return Promise.all(requests.map((request) => this.scoreOne(request, options)));
  }

  async close(): Promise<void> {
    this.closing.abort();
  }

  private async scoreOne(request: ScoreRequest, options: ScoreOptions): Promise<DocumentScores> {
    const { texts, cut } = this.textsOf(request, options.maxTokensPerDocument);
    const query = wellFormed(request.query);
    const stop = new AbortController();
    const abort = (): void => stop.abort(options.signal?.reason);
    // The caller's may be that of many requests, the own one is of all their parts.
    const caller = options.signal === undefined ? [] : [AbortSignal.any([options.signal])];
    setMaxListeners(0, stop.signal);
    const signals = [this.closing.signal, ...caller];
    for (const signal of signals) signal.addEventListener("abort", abort, { once: true });
    if (signals.some(({ aborted }) => aborted)) abort();
    const limits = { documents: this.batchSize, tokens: this.service.limits.tokens };
    try {
      const parts = await Promise.all(
        batchesOf(query, texts, limits).map(([start, end]) => {
          const documents = texts.slice(start, end);
          const { maxTokensPerDocument } = options;
          const part = { model: this.model, query, documents, maxTokensPerDocument };
          return this.gate.pass(() => this.ask(part, stop.signal), stop.signal);
        }),
      );
      const warnings = new Set(parts.flatMap((part) => part.warnings));
      if (cut > 0) warnings.add(cutWarning(cut, texts.length, options.maxTokensPerDocument));
      return {
        scores: parts.flatMap((part) => Array.from(part.scores)),
        warnings: [...warnings],
        // Warnings say what a document counts for, not that its score will be another next time.
        keep: true,
        usage: parts.map((part) => part.usage).reduce(addUsage, NO_USAGE),
      };
    } finally {
      for (const signal of signals) signal.removeEventListener("abort", abort);
      // After a failure, the other parts of the request are of no use any more.
      abort();
    }
  }

  private async ask(request: ServiceRequest, signal: AbortSignal): Promise<Part> {
    const { service } = this;
    const { timeoutMs, retries } = this.options;
    const answer = await postJson({
      service: service.name,
      ...this.connection,
      body: service.body(request),
      signal,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(retries === undefined ? {} : { retries }),
    });
    const { scores, usage, warnings = [] } = service.read(answer.json, answer.headers);
    // Gateways send errors with status 200.
    const said = Array.isArray(scores.rows) ? "" : this.shown(messageOf(answer.json));
    const { inputTokens = 0, outputTokens = 0, searchUnits = 0 } = usage;
    const { perThousandSearchUnits, perMillionTokens } = this.price;
    const cost =
      (searchUnits * perThousandSearchUnits) / 1_000 +
      ((inputTokens + outputTokens) * perMillionTokens) / 1_000_000;
    return {
      scores: scoresOf(service.name, { ...scores, said }, request.documents.length),
      warnings: warnings.map((warning) => this.shown(warning)),
      usage: { ...NO_USAGE, requests: answer.requests, inputTokens, outputTokens, searchUnits, cost },
    };
  }

  private shown(text: string): string {
    return shown(text, secretsOf(new Headers(this.connection.headers)));
  }

  /** The documents' texts as they are sent, and how many of them are longer than they may be. */
  private textsOf({ documents }: ScoreRequest, maxTokens: number): { texts: string[]; cut: number } {
    let cut = 0;
    const texts = documents.map(({ text }) => {
      const start = cutToTokens(text, maxTokens);
      if (start.length < text.length) cut++;
      return wellFormed(this.service.cutsDocuments ? text : start);
    });
    return { texts, cut };
  }
}

interface Part {
  readonly scores: Float64Array;
  readonly warnings: readonly string[];
  readonly usage: RerankUsage;
}

function cutWarning(cut: number, count: number, maxTokens: number): string {
  return `${cut} of ${count} documents count only as far as about ${maxTokens} tokens (maxTokensPerDocument)`;
}

/** Halves of surrogate pairs, which services refuse, become U+FFFD. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}
