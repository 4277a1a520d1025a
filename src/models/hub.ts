/**
 * Downloads models from a Hugging Face hub into the standard cache. The cache comes first: a model that is there is
 * used without a request. HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE and the cache variables are honoured.
 */
import * as z from "zod/mini";
import { describe } from "../common/check.js";
import { MaxsimError } from "../common/errors.js";
import { graphFileNames, type ModelPrecision } from "./graph.js";
import { COMMIT, cacheRoot, type Environment, RepositoryCache } from "./hub-cache.js";
import { type Connection, networkError, request } from "./hub-connection.js";
import { downloadFile, type RemoteFile } from "./hub-download.js";

export interface HubProgress {
  readonly file: string;
  /** Bytes. */
  readonly done: number;
  readonly total: number | undefined;
}

export interface HubOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: HubProgress) => void) | undefined;
  readonly precision?: ModelPrecision | undefined;
  /** Default `process.env`. */
  readonly env?: Environment | undefined;
}

export interface RepositoryId {
  /** `organization/name`. */
  readonly repository: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

const ID = /^([A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*)(?:@([A-Za-z0-9][\w.-]*(?:\/[\w.-]+)*))?$/;
const ETAG = /^[\w-]{1,128}$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** Configuration and tokenizer; weights are chosen apart. Nothing else of a repository is downloaded. */
const WANTED = [
  /^(?:config|modules|config_sentence_transformers|sentence_bert_config|onnx_config|tokenizer|tokenizer_config)\.json$/,
  /^artifact\.metadata$/,
  /^\d+_\w+\/(?:config\.json|model\.safetensors)$/,
];

const infoShape = z.looseObject({
  /** The name today: a repository that was renamed is also found by its old one. */
  id: z.string().check(z.regex(ID)),
  sha: z.string().check(z.regex(COMMIT)),
  siblings: z.array(z.looseObject({ rfilename: z.string() })),
});
type Info = z.infer<typeof infoShape>;

/** undefined for what is no repository id. */
export function parseRepositoryId(text: string): RepositoryId | undefined {
  const [, repository, revision = "main"] = ID.exec(text) ?? [];
  return repository === undefined || text.includes("..") ? undefined : { repository, revision };
}

/**
 * The local folder of a repository's model.
 * @throws MaxsimError MODEL_NOT_FOUND, MODEL_INVALID (no ONNX graph), NETWORK, ABORTED.
 */
export async function downloadModel(id: RepositoryId, options: HubOptions = {}): Promise<string> {
  const env = options.env ?? process.env;
  const cache = new RepositoryCache(cacheRoot(env), id.repository);
  const precision = options.precision ?? "auto";
  const cached = await findCached(cache, id.revision, precision);
  if (cached !== undefined) return cached;
  if (/^(?:1|true|yes|on)$/i.test(env.HF_HUB_OFFLINE ?? "")) {
    throw new MaxsimError(
      "MODEL_NOT_FOUND",
      `${id.repository} is not in ${cache.path}, and HF_HUB_OFFLINE is set`,
      {
        hint: "Unset HF_HUB_OFFLINE to download it, or give the path of a model folder.",
      },
    );
  }
  const hub = new Hub(env, id, options);
  const info = await hub.info();
  for (const name of chooseFiles(id, info, precision)) {
    const { etag, ...remote } = await hub.look(info, name);
    const blob = cache.blob(etag);
    if (!(await cache.has(blob))) await hub.download(name, remote, blob);
    await cache.link(info.sha, name, etag);
  }
  await cache.writeRef(id.revision, info.sha);
  return cache.snapshot(info.sha);
}

/** A snapshot counts as whole when tokenizer and graph are there: the graph is what is downloaded last. */
async function findCached(cache: RepositoryCache, revision: string, precision: ModelPrecision) {
  const commit = await cache.commitOf(revision);
  if (commit === undefined) return undefined;
  const folder = cache.snapshot(commit);
  if (!(await cache.has(`${folder}/tokenizer.json`))) return undefined;
  for (const name of graphFileNames(precision)) if (await cache.has(`${folder}/${name}`)) return folder;
  return undefined;
}

/** Names in the order of download, the graph last. */
function chooseFiles(id: RepositoryId, info: Info, precision: ModelPrecision): string[] {
  const all = info.siblings.map((s) => s.rfilename);
  const graph = graphFileNames(precision).find((name) => all.includes(name));
  if (graph === undefined) {
    const candidates = graphFileNames(precision).join(", ");
    throw new MaxsimError("MODEL_INVALID", `${id.repository} has no ONNX graph (${candidates})`, {
      hint: "Export the model to ONNX and give the folder, or use a repository that holds the export.",
    });
  }
  const files = all.filter((name) => WANTED.some((pattern) => pattern.test(name)));
  // Stanford checkpoints keep the projection among all other weights.
  if (
    all.includes("artifact.metadata") &&
    !all.includes("modules.json") &&
    all.includes("model.safetensors")
  ) {
    files.push("model.safetensors");
  }
  const external = all.filter((name) => name === `${graph}_data` || name === `${graph}.data`);
  return [...files, ...external, graph];
}

class Hub {
  private readonly endpoint: string;
  private readonly connection: Connection;

  constructor(
    env: Environment,
    private readonly id: RepositoryId,
    private readonly options: HubOptions,
  ) {
    this.endpoint = checkEndpoint(env.HF_ENDPOINT || "https://huggingface.co");
    const token = env.HF_TOKEN;
    this.connection = {
      // Compressed answers would have other lengths and ranges.
      headers: { "Accept-Encoding": "identity", ...(token ? { Authorization: `Bearer ${token}` } : {}) },
      signal: options.signal,
    };
  }

  async info(): Promise<Info> {
    const { repository, revision } = this.id;
    const url = `${this.endpoint}/api/models/${repository}/revision/${encodeURIComponent(revision)}`;
    return this.send(url, { method: "GET" }, async (response) => {
      const parsed = infoShape.safeParse(await response.json());
      if (!parsed.success) throw networkError(url, "the answer is not a description of a model repository");
      return parsed.data;
    });
  }

  /** Identity and size of a file. Redirects lead to storage that does not know them, so they are not followed. */
  async look({ id, sha }: Info, name: string): Promise<RemoteFile & { readonly etag: string }> {
    const url = `${this.endpoint}/${id}/resolve/${sha}/${name}`;
    const init = { method: "HEAD", redirect: "manual" } as const;
    return this.send(url, init, async ({ headers }) => {
      const linked = headers.get("x-linked-etag");
      const etag = (linked ?? headers.get("etag") ?? "").replace(/^W\//, "").replaceAll('"', "");
      if (!ETAG.test(etag)) throw networkError(url, `expected an ETag header, found ${describe(etag)}`);
      const length = Number(
        headers.get("x-linked-size") ?? (linked === null ? headers.get("content-length") : null),
      );
      return {
        url,
        etag,
        size: length > 0 ? length : undefined,
        sha256: SHA256.test(etag) ? etag : undefined,
      };
    });
  }

  async download(name: string, remote: RemoteFile, target: string): Promise<void> {
    const { onProgress } = this.options;
    await downloadFile(remote, target, this.connection, (done) =>
      onProgress?.({ file: name, done, total: remote.size }),
    );
  }

  private send<T>(url: string, init: RequestInit, use: (response: Response) => Promise<T>): Promise<T> {
    const { headers, signal } = this.connection;
    return request(
      url,
      () => ({ ...init, headers }),
      signal,
      async (response) => {
        if (response.status < 400) return use(response);
        await response.body?.cancel();
        throw this.refused(url, response.status);
      },
    );
  }

  private refused(url: string, status: number): MaxsimError {
    const { repository, revision } = this.id;
    if (status !== 401 && status !== 403 && status !== 404)
      return networkError(url, `the server answered ${status}`);
    return new MaxsimError(
      "MODEL_NOT_FOUND",
      `${this.endpoint} gives no ${repository} at ${revision} (${status})`,
      {
        hint: "Check the name; for a private or gated model set HF_TOKEN to a token that may read it.",
      },
    );
  }
}

/** The token goes to this host, so it must be https, or this machine. */
function checkEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const local = url?.protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  if (url?.protocol !== "https:" && !local) {
    throw new MaxsimError("INVALID_ARGUMENT", `HF_ENDPOINT must be an https URL, found ${describe(text)}`);
  }
  return text.replace(/\/+$/, "");
}
