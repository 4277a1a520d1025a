/** Downloads from a small server on this machine that speaks the hub's protocol. */
import { createHash } from "node:crypto";
import { lstat, mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { modelFingerprint } from "../../../src/models/fingerprint.js";
import { downloadModel, type HubProgress, parseRepositoryId } from "../../../src/models/hub.js";
import { loadModelSettings } from "../../../src/models/load-settings.js";
import { resolveModel } from "../../../src/models/registry.js";
import { temporaryFolders } from "../../support/temp-folder.js";
import { tinyGraph, tinyTokenizer, writeTinyModel } from "../../support/tiny-model.js";

const newFolder = temporaryFolders();
const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const ID = { repository: "organization/tiny", revision: "main" };
const config = { query_length: 16, document_length: 32, embedding_dim: 16, do_query_expansion: false };
const graph = tinyGraph();
const FILES: Readonly<Record<string, Buffer>> = {
  "onnx_config.json": Buffer.from(JSON.stringify(config)),
  "tokenizer.json": Buffer.from(JSON.stringify(tinyTokenizer())),
  "onnx/model_quantized.onnx": graph,
  "onnx/model.onnx": Buffer.from("not wanted"),
  "pytorch_model.bin": Buffer.from("not wanted"),
  "README.md": Buffer.from("not wanted"),
};
const sha256 = (data: Buffer) => createHash("sha256").update(data).digest("hex");
const GRAPH_BLOB = sha256(graph);

/** What the server does wrong next. */
interface Faults {
  breakAfter?: number;
  busy?: number;
  corrupt?: boolean;
  noRanges?: boolean;
  status?: number;
}
let faults: Faults = {};
let requests: string[] = [];
let tokens: Array<string | undefined> = [];
let server: Server;
let endpoint: string;

function handle(request: IncomingMessage, response: ServerResponse): void {
  const { method, url = "", headers } = request;
  requests.push(`${method} ${url}${headers.range === undefined ? "" : ` ${headers.range}`}`);
  tokens.push(headers.authorization);
  if (faults.status !== undefined) return void response.writeHead(faults.status).end();
  if (faults.busy !== undefined && faults.busy-- > 0) return void response.writeHead(503).end();
  if (url === "/api/models/organization/tiny/revision/main") {
    const siblings = Object.keys(FILES).map((rfilename) => ({ rfilename }));
    return void response.end(JSON.stringify({ id: "organization/tiny", sha: COMMIT, siblings }));
  }
  const large = url.startsWith("/storage/");
  const prefix = large ? "/storage/" : `/organization/tiny/resolve/${COMMIT}/`;
  const name = url.slice(prefix.length);
  const content = url.startsWith(prefix) ? FILES[name] : undefined;
  if (content === undefined) return void response.writeHead(404).end();
  if (name.endsWith(".onnx") && !large) {
    // As with large files of the real hub: identity in headers of a redirect to storage.
    const identity = { "X-Linked-Etag": `"${sha256(content)}"`, "X-Linked-Size": String(content.length) };
    return void response.writeHead(302, { ...identity, Location: `/storage/${name}` }).end();
  }
  if (method === "HEAD") {
    return void response
      .writeHead(200, { ETag: `"${sha256(content).slice(0, 40)}"`, "Content-Length": content.length })
      .end();
  }
  const start = faults.noRanges ? 0 : Number(/bytes=(\d+)-/.exec(headers.range ?? "")?.[1] ?? 0);
  const body = Buffer.from(content.subarray(start));
  if (faults.corrupt && large) body[body.length - 1]! ^= 1;
  response.writeHead(start > 0 ? 206 : 200, { "Content-Length": body.length });
  if (large && faults.breakAfter !== undefined) {
    response.write(body.subarray(0, faults.breakAfter), () => setTimeout(() => response.destroy(), 20));
    delete faults.breakAfter;
  } else response.end(body);
}

beforeAll(async () => {
  server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  faults = {};
  requests = [];
  tokens = [];
});

const environment = async () => ({ HF_HUB_CACHE: await newFolder(), HF_ENDPOINT: endpoint });
const repository = (env: { HF_HUB_CACHE: string }) => join(env.HF_HUB_CACHE, "models--organization--tiny");

describe("repository ids", () => {
  test.each([
    ["organization/name", "main"],
    ["o-1/n.a_m-e@v1.0", "v1.0"],
    ["organization/name@refs/pr/1", "refs/pr/1"],
  ])("%s", (text, revision) =>
    expect(parseRepositoryId(text)).toEqual({ repository: text.split("@")[0], revision }),
  );
  test.each([
    "name",
    "../name",
    "a/../b",
    "a/b/c",
    "/a/b",
    "a/b@",
    "a/b@../../x",
    "-a/b",
    "a/b c",
    "",
    "a/b@x/../y",
  ])("not %s", (text) => expect(parseRepositoryId(text)).toBeUndefined());
});

describe("downloads", () => {
  test("the wanted files alone, into the layout of the shared cache", async () => {
    const env = await environment();
    const progress: HubProgress[] = [];
    const folder = await downloadModel(ID, { env, onProgress: (p) => progress.push(p) });
    expect(folder).toBe(join(repository(env), "snapshots", COMMIT));
    expect((await readdir(folder, { recursive: true })).sort()).toEqual([
      "onnx",
      "onnx/model_quantized.onnx",
      "onnx_config.json",
      "tokenizer.json",
    ]);
    const link = join(folder, "onnx", "model_quantized.onnx");
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await readlink(link)).toBe(join("..", "..", "..", "blobs", GRAPH_BLOB));
    expect(await readFile(link)).toEqual(graph);
    expect(await readFile(join(repository(env), "refs", "main"), "utf8")).toBe(COMMIT);
    expect((await readdir(join(repository(env), "blobs"))).length).toBe(3);
    expect(progress.at(-1)).toEqual({
      file: "onnx/model_quantized.onnx",
      done: graph.length,
      total: graph.length,
    });
    expect((await loadModelSettings(folder)).name).toBe("organization/tiny");
  });

  test("nothing again: no request when the cache has it", async () => {
    const env = await environment();
    const folder = await downloadModel(ID, { env });
    requests = [];
    expect(await downloadModel(ID, { env: { ...env, HF_HUB_OFFLINE: "1" } })).toBe(folder);
    expect(await downloadModel({ ...ID, revision: COMMIT }, { env })).toBe(folder);
    expect(await resolveModel("organization/tiny@main", { env })).toBe(folder);
    expect(requests).toEqual([]);
  });

  test("go on where the connection broke", async () => {
    faults = { breakAfter: 1000 };
    const folder = await downloadModel(ID, { env: await environment() });
    expect(await readFile(join(folder, "onnx", "model_quantized.onnx"))).toEqual(graph);
    expect(requests.at(-1)).toBe("GET /storage/onnx/model_quantized.onnx bytes=1000-");
  });

  test("start again where the server knows no ranges", async () => {
    faults = { breakAfter: 1000, noRanges: true };
    const folder = await downloadModel(ID, { env: await environment() });
    expect(await readFile(join(folder, "onnx", "model_quantized.onnx"))).toEqual(graph);
  });

  test("take over what a process that died has left", async () => {
    const env = await environment();
    const blobs = join(repository(env), "blobs");
    await mkdir(blobs, { recursive: true });
    // Beyond the largest process id that Linux gives out.
    await writeFile(join(blobs, `${GRAPH_BLOB}.99999999-1.incomplete`), graph.subarray(0, 700));
    await downloadModel(ID, { env });
    expect(requests.at(-1)).toContain("bytes=700-");
    expect((await readdir(blobs)).some((name) => name.endsWith(".incomplete"))).toBe(false);
  });

  test("wait for a busy server", async () => {
    faults = { busy: 2 };
    await downloadModel(ID, { env: await environment() });
    expect(requests.filter((r) => r.startsWith("GET /api"))).toHaveLength(3);
  });

  test("refuse bytes that do not have their SHA-256, and succeed later", async () => {
    const env = await environment();
    faults = { corrupt: true };
    await expect(downloadModel(ID, { env })).rejects.toMatchObject({
      code: "NETWORK",
      message: expect.stringContaining(`expected SHA-256 ${GRAPH_BLOB}`),
    });
    faults = {};
    const folder = await downloadModel(ID, { env });
    expect(await readFile(join(folder, "onnx", "model_quantized.onnx"))).toEqual(graph);
  });

  test("two at once do not disturb each other", async () => {
    const env = await environment();
    const [a, b] = await Promise.all([downloadModel(ID, { env }), downloadModel(ID, { env })]);
    expect(a).toBe(b);
    expect(await readFile(join(a, "onnx", "model_quantized.onnx"))).toEqual(graph);
  });

  test("stop when told to", async () => {
    const env = await environment();
    const controller = new AbortController();
    const work = downloadModel(ID, { env, signal: controller.signal, onProgress: () => controller.abort() });
    await expect(work).rejects.toMatchObject({ code: "ABORTED" });
    expect(await downloadModel(ID, { env })).toContain(COMMIT);
  });

  test("send the token to the hub, and over nothing but https or this machine", async () => {
    const env = await environment();
    await downloadModel(ID, { env: { ...env, HF_TOKEN: "hf_secret" } });
    expect(new Set(tokens)).toEqual(new Set(["Bearer hf_secret"]));
    const plain = { ...(await environment()), HF_ENDPOINT: "http://example.org" };
    await expect(downloadModel(ID, { env: plain })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  test.each([401, 403, 404])("status %d says that there is no such model, with a hint", async (status) => {
    faults = { status };
    await expect(downloadModel(ID, { env: await environment() })).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      hint: expect.stringContaining("HF_TOKEN"),
    });
  });

  test("offline, a model that is not cached is not found, without a request", async () => {
    const env = { ...(await environment()), HF_HUB_OFFLINE: "true" };
    await expect(downloadModel(ID, { env })).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      message: expect.stringContaining("HF_HUB_OFFLINE"),
    });
    expect(requests).toEqual([]);
  });

  test("a repository without a graph is refused before anything is downloaded", async () => {
    const env = await environment();
    await expect(downloadModel(ID, { env, precision: "int8" })).resolves.toContain(COMMIT);
    const full = FILES["onnx/model_quantized.onnx"]!;
    delete (FILES as Record<string, Buffer>)["onnx/model_quantized.onnx"];
    try {
      requests = [];
      const other = await environment();
      await expect(downloadModel(ID, { env: other, precision: "int8" })).rejects.toMatchObject({
        code: "MODEL_INVALID",
      });
      expect(requests).toHaveLength(1);
    } finally {
      (FILES as Record<string, Buffer>)["onnx/model_quantized.onnx"] = full;
    }
  });

  test("an unreachable server is a network error with a hint", async () => {
    const env = { ...(await environment()), HF_ENDPOINT: "http://127.0.0.1:1" };
    await expect(downloadModel(ID, { env })).rejects.toMatchObject({
      code: "NETWORK",
      hint: expect.any(String),
    });
  });
});

describe("resolveModel", () => {
  test("knows the bundled model by name, by default and by nothing", async () => {
    const folder = await resolveModel();
    expect(folder).toMatch(/maxsim-small-en-v1$/);
    expect(await resolveModel("default")).toBe(folder);
    expect(await resolveModel("maxsim-small-en-v1")).toBe(folder);
    expect(await resolveModel(folder)).toBe(folder);
  });

  test.each(["nothing", "./organization/tiny", "/no/such", "..", ""])("has no %j", async (name) => {
    const found = resolveModel(name === ".." ? "../no-such-folder" : name, { env: { HF_HUB_OFFLINE: "1" } });
    await expect(found).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      hint: expect.stringContaining("maxsim-small-en-v1"),
    });
  });

  test("refuses what is no text", async () => {
    await expect(resolveModel(3 as unknown as string)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

describe("fingerprints", () => {
  const make = async (changes: object = {}) => {
    const folder = await newFolder();
    await writeTinyModel(folder, { "onnx_config.json": { ...config, ...changes } });
    return loadModelSettings(folder);
  };

  test("are the same for the same model in another place under another name", async () => {
    const first = await modelFingerprint(await make({ model_name: "a" }));
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(await modelFingerprint(await make({ model_name: "b" }))).toBe(first);
  });

  test("differ with every setting that shapes vectors, and with the graph", async () => {
    const prints = [
      await modelFingerprint(await make()),
      await modelFingerprint(await make({ document_length: 31 })),
      await modelFingerprint(await make({ query_length: 15 })),
      await modelFingerprint(await make({ skiplist_words: ["."] })),
      await modelFingerprint(await make({ do_lower_case: true })),
      await modelFingerprint(await make({ document_prefix: "[Q] " })),
      await modelFingerprint(await make({ do_query_expansion: true, mask_token_id: 4 })),
      await modelFingerprint({ ...(await make()), queryPrompt: "search: " }),
    ];
    const changed = await make();
    await writeFile(changed.graphFile, tinyGraph({ fill: 1 }));
    prints.push(await modelFingerprint(changed));
    expect(new Set(prints).size).toBe(prints.length);
  });

  test("notice that a file changed", async () => {
    const settings = await make();
    const before = await modelFingerprint(settings);
    expect(await modelFingerprint(settings)).toBe(before);
    await writeFile(settings.graphFile, tinyGraph({ fill: 2 }));
    expect(await modelFingerprint(settings)).not.toBe(before);
  });
});
