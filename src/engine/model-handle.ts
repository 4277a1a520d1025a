/** The model of an index: found by name, checked against the index, loaded when something is to be encoded. */
import { MaxsimError } from "../common/errors.js";
import type { Logger } from "../common/logger.js";
import { modelFingerprint } from "../models/fingerprint.js";
import { loadModelSettings } from "../models/load-settings.js";
import { resolveModel } from "../models/registry.js";
import type { ModelSettings } from "../models/settings.js";
import { TextTokenizer } from "../models/tokenizer.js";
import { EncodePool } from "../workers/encode-pool.js";

export interface IdentifiedModel {
  readonly settings: ModelSettings;
  readonly fingerprint: string;
}

/** Finds a model by name and computes its fingerprint. */
export async function identifyModel(name: string | undefined): Promise<IdentifiedModel> {
  const settings = await loadModelSettings(await resolveModel(name));
  return { settings, fingerprint: await modelFingerprint(settings) };
}

export interface LoadedModel {
  readonly settings: ModelSettings;
  readonly tokenizer: TextTokenizer;
  readonly pool: EncodePool;
}

export class ModelHandle {
  private loading: Promise<LoadedModel> | undefined;

  /** `recorded` is what the index was made with; `wanted` overrides the name, never the fingerprint. */
  constructor(
    private readonly recorded: { readonly name: string; readonly fingerprint: string } | null,
    private readonly wanted: string | undefined,
    private readonly threads: number | undefined,
    private readonly logger: Logger,
  ) {}

  /** Loads the model once; errors: INVALID_ARGUMENT for an index without a model, MODEL_MISMATCH, MODEL_*. */
  load(): Promise<LoadedModel> {
    this.loading ??= this.start();
    return this.loading;
  }

  private async start(): Promise<LoadedModel> {
    const { recorded } = this;
    if (recorded === null) {
      throw new MaxsimError(
        "INVALID_ARGUMENT",
        "this index holds vectors without a model and cannot encode text",
        {
          hint: "Use addEmbeddings and searchEmbeddings, or create an index with a model.",
        },
      );
    }
    const { settings, fingerprint } = await identifyModel(this.wanted ?? recorded.name);
    if (fingerprint !== recorded.fingerprint) {
      throw new MaxsimError(
        "MODEL_MISMATCH",
        `the index was made with model ${recorded.name} (${recorded.fingerprint.slice(0, 12)}), ` +
          `found ${settings.name} (${fingerprint.slice(0, 12)}) in ${settings.folder}`,
        { hint: "Name the model that the index was made with, or build the index again with this one." },
      );
    }
    for (const note of settings.notes) this.logger.warn(`${settings.name}: ${note}`);
    const options = this.threads === undefined ? {} : { threads: this.threads };
    const [tokenizer, pool] = await Promise.all([
      TextTokenizer.load(settings),
      EncodePool.create(settings, { ...options, logger: this.logger }),
    ]);
    return { settings, tokenizer, pool };
  }

  async close(): Promise<void> {
    const { loading } = this;
    if (loading === undefined) return;
    // A model that failed to load was reported to whoever asked for it; there is nothing to close then.
    const loaded = await loading.catch(() => undefined);
    await loaded?.pool.close();
  }
}
