/** A server of chat completions on the loopback interface that answers as a test wants. */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A prompt taken apart by its lines, without help of the code that made it. */
export interface ReadPrompt {
  readonly kind: "list" | "single";
  readonly query: string;
  readonly delimiter: string;
  /** `id` is "" in prompts about a single passage. */
  readonly passages: ReadonlyArray<{ readonly id: string; readonly text: string }>;
  /** The lines behind the passages. */
  readonly task: string;
}

export interface ChatRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
  readonly system: string;
  readonly user: string;
  readonly prompt: ReadPrompt;
  /** From 0. */
  readonly number: number;
}

/** A text is the message of a well-formed answer; anything else is sent as it says. */
export type ChatReply =
  | string
  | {
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      /** Sent as JSON, a text as it is. */
      readonly body?: unknown;
      readonly delayMs?: number;
      /** Breaks the connection in the middle of the body. */
      readonly breaks?: boolean;
      /** Never answers. */
      readonly hangs?: boolean;
    };

export interface ChatServer extends AsyncDisposable {
  /** For the option baseUrl. */
  readonly url: string;
  readonly requests: ChatRequest[];
  reply: (request: ChatRequest) => ChatReply;
}

/** The body of a well-formed answer. `more`: fields of the choice. */
export function completion(
  content: unknown,
  more: Readonly<Record<string, unknown>> = {},
  usage = { prompt_tokens: 100, completion_tokens: 10 },
): unknown {
  const message = { role: "assistant", content };
  const choices = [{ index: 0, message, finish_reason: "stop", ...more }];
  return { id: "chatcmpl-1", object: "chat.completion", choices, usage };
}

export function readPrompt(user: string): ReadPrompt {
  const lines = user.split("\n");
  const query = /^Query: (.*)$/.exec(lines[0]!)?.[1];
  const intro =
    /^(?:(\d+) passages follow\. Each is one line that starts with (\S+) and the id|The passage is the one line that starts with (\S+)\.)/.exec(
      lines[2]!,
    );
  if (query === undefined || intro === null) throw new Error(`not a prompt that is known: ${user}`);
  const delimiter = (intro[2] ?? intro[3])!;
  const kind = intro[1] === undefined ? "single" : "list";
  const count = Number(intro[1] ?? 1);
  const passages = lines.slice(3, 3 + count).map((line) => {
    if (!line.startsWith(`${delimiter} `)) throw new Error(`a passage's line lacks the delimiter: ${line}`);
    const rest = line.slice(delimiter.length + 1);
    const space = kind === "single" ? -1 : rest.indexOf(" ");
    return { id: rest.slice(0, Math.max(0, space)), text: rest.slice(space + 1) };
  });
  if (lines[3 + count] !== `${delimiter} end`) throw new Error(`the passages have no end: ${user}`);
  return { kind, query, delimiter, passages, task: lines.slice(4 + count).join("\n") };
}

/** Answers each kind of prompt by the relevance of its passages: all ids, the better id, or a grade from 0 to 3. */
export function judge(relevance: (query: string, text: string) => number): (request: ChatRequest) => string {
  return ({ prompt: { kind, query, passages, task } }) => {
    const judged = passages.map(({ id, text }) => ({ id, value: relevance(query, text) }));
    if (kind === "single") return String(Math.max(0, Math.min(3, Math.round(judged[0]!.value))));
    judged.sort((a, b) => b.value - a.value);
    return /Which of the two/.test(task) ? judged[0]!.id : judged.map(({ id }) => id).join(" > ");
  };
}

/** Words that query and text share. */
export function overlap(query: string, text: string): number {
  const words = new Set(query.toLowerCase().split(/\W+/));
  const shared = text
    .toLowerCase()
    .split(/\W+/)
    .filter((word) => words.has(word));
  return new Set(shared).size;
}

export async function chatServer(reply: ChatServer["reply"] = judge(overlap)): Promise<ChatServer> {
  const requests: ChatRequest[] = [];
  const http = createServer((incoming, response) => {
    let text = "";
    incoming.setEncoding("utf8");
    incoming.on("data", (chunk: string) => {
      text += chunk;
    });
    incoming.on("end", () => {
      const body = JSON.parse(text) as { messages: ReadonlyArray<{ role: string; content: string }> };
      const [system, user] = ["system", "user"].map(
        (role) => body.messages.find((message) => message.role === role)!.content,
      );
      const request: ChatRequest = {
        path: `${incoming.method} ${incoming.url}`,
        headers: incoming.headers,
        body: { ...body },
        system: system!,
        user: user!,
        prompt: readPrompt(user!),
        number: requests.length,
      };
      requests.push(request);
      answer(response, server.reply(request));
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const server: ChatServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/v1`,
    requests,
    reply,
    [Symbol.asyncDispose]: () => closed(http),
  };
  return server;
}

function answer(response: ServerResponse, reply: ChatReply): void {
  if (typeof reply === "string") {
    send(response, 200, {}, JSON.stringify(completion(reply)), false);
    return;
  }
  if (reply.hangs) return;
  const { status = 200, headers = {}, body = "", delayMs = 0, breaks = false } = reply;
  const text = typeof body === "string" ? body : JSON.stringify(body);
  if (delayMs === 0) send(response, status, headers, text, breaks);
  else setTimeout(() => send(response, status, headers, text, breaks), delayMs);
}

function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  text: string,
  breaks: boolean,
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  if (!breaks) {
    response.end(text);
    return;
  }
  response.write(text.slice(0, Math.floor(text.length / 2)), () => response.destroy());
}

function closed(http: Server): Promise<void> {
  http.closeAllConnections();
  return new Promise((resolve) => http.close(() => resolve()));
}
