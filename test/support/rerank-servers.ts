/** Servers on this machine that answer as reranking services do, or as they should not. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

/** Answers request number `number`, from 0. */
export type Handler = (request: SeenRequest, response: ServerResponse, number: number) => void;

export interface LocalServer extends AsyncDisposable {
  /** http://127.0.0.1:port */
  readonly url: string;
  readonly seen: SeenRequest[];
  close(): Promise<void>;
}

export async function serve(handler: Handler): Promise<LocalServer> {
  const seen: SeenRequest[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString("utf8");
    const { method = "", url: path = "", headers } = request;
    const one = { method, path, headers, body: text === "" ? undefined : (JSON.parse(text) as unknown) };
    seen.push(one);
    handler(one, response, seen.length - 1);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, seen, close, [Symbol.asyncDispose]: close };
}

export function answer(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(text);
}

/** One at a time, the last one for all that come after. */
export function inTurn(...handlers: readonly Handler[]): Handler {
  return (request, response, number) =>
    handlers[Math.min(number, handlers.length - 1)]!(request, response, number);
}

export type ServiceName = "cohere" | "jina" | "voyage" | "tei";

export const FAKE_KEY = "key-of-the-tests-1234567890";

/** Share of the query's words that a text has. */
export function overlap(query: string, text: string): number {
  const words = new Set(text.toLowerCase().split(/\W+/));
  const asked = query.toLowerCase().split(/\W+/);
  return asked.filter((word) => words.has(word)).length / asked.length;
}

interface RerankBody {
  readonly query: string;
  readonly documents?: readonly string[];
  readonly texts?: readonly string[];
  readonly model?: string;
  readonly top_n?: number;
}

/** A score for each document, best first, as all the services give them. */
function ranking(query: string, texts: readonly string[]): { index: number; score: number }[] {
  return texts
    .map((text, index) => ({ index, score: overlap(query, text) }))
    .sort((a, b) => b.score - a.score);
}

/** The answer of a service that works. Two tokens a document, one search unit for each hundred of them. */
export function goodAnswer(
  service: ServiceName,
  body: unknown,
): { json: unknown; headers: Record<string, string> } {
  const { query, documents, texts, model } = body as RerankBody;
  const sent = documents ?? texts ?? [];
  const ranked = ranking(query, sent);
  const rows = ranked.map(({ index, score }) => ({ index, relevance_score: score }));
  const tokens = 2 * sent.length;
  switch (service) {
    case "cohere": {
      const billed_units = { search_units: Math.ceil(sent.length / 100) };
      const api_version = { version: "2", is_experimental: false };
      return { json: { id: "f00d", results: rows, meta: { api_version, billed_units } }, headers: {} };
    }
    case "jina":
      return { json: { model, usage: { total_tokens: tokens }, results: rows }, headers: {} };
    case "voyage":
      return { json: { object: "list", data: rows, model, usage: { total_tokens: tokens } }, headers: {} };
    case "tei":
      return { json: ranked, headers: { "x-compute-tokens": `${tokens}`, "x-compute-type": "cpu" } };
  }
}

const PATHS: Readonly<Record<ServiceName, string>> = {
  cohere: "/v2/rerank",
  jina: "/v1/rerank",
  voyage: "/v1/rerank",
  tei: "/rerank",
};

/** Body of an error in the shape of the service. */
function errorBody(service: ServiceName, message: string): unknown {
  if (service === "cohere") return { id: "f00d", message };
  return service === "tei" ? { error: message, error_type: "Validation" } : { detail: message };
}

/** A service that works for those who have the key, and refuses what the real one does. */
export function workingService(service: ServiceName): Handler {
  return ({ method, path, headers, body }, response) => {
    const refuse = (status: number, message: string): void =>
      answer(response, status, errorBody(service, message));
    const { query, documents, texts, model } = body as RerankBody;
    const sent = service === "tei" ? texts : documents;
    if (method !== "POST" || path !== PATHS[service]) refuse(404, `nothing at ${method} ${path}`);
    else if (headers.authorization !== `Bearer ${FAKE_KEY}`) refuse(401, "invalid api token");
    else if (typeof query !== "string" || !Array.isArray(sent) || sent.length === 0) refuse(422, "bad body");
    else if (service !== "tei" && typeof model !== "string") refuse(400, "model is required");
    else if (service === "tei" && sent.length > 32) {
      refuse(413, `batch size ${sent.length} > maximum allowed batch size 32`);
    } else {
      const good = goodAnswer(service, body);
      answer(response, 200, good.json, good.headers);
    }
  };
}
