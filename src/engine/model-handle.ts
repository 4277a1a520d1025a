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

export interface ModelHandleOptions {
  /** What the index was made with; null for an index of vectors that the caller brings. */
  readonly recorded: { readonly name: string; readonly fingerprint: string } | null;
  /** Overrides the recorded name, never the fingerprint. */
  readonly wanted: string | undefined;
  readonly threads: number | undefined;
  readonly logger: Logger;
}

export class ModelHandle {
  private pool: Promise<EncodePool> | undefined;
  private tokenizer: Promise<TextTokenizer> | undefined;

  constructor(private readonly options: ModelHandleOptions) {}

  /** The encoder; errors: INVALID_ARGUMENT for an index without a model, MODEL_MISMATCH, MODEL_*. */
  encoder(): Promise<EncodePool> {
    this.pool ??= this.start();
    return this.pool;
  }

  /** Starts loading for queries; whoever asks for the encoder later hears of what went wrong. */
  warm(): void {
    if (this.options.recorded !== null) this.encoder().catch(() => undefined);
  }

  /** For splitting documents; a search does without it. */
  async documentTokenizer(): Promise<TextTokenizer> {
    const { settings } = await this.encoder();
    this.tokenizer ??= TextTokenizer.load(settings);
    return this.tokenizer;
  }

  private async start(): Promise<EncodePool> {
    const { recorded, wanted, threads, logger } = this.options;
    if (recorded === null) {
      throw new MaxsimError(
        "INVALID_ARGUMENT",
        "this index holds vectors without a model and cannot encode text",
        {
          hint: "Use addEmbeddings and searchEmbeddings, or create an index with a model.",
        },
      );
    }
    const settings = await loadModelSettings(await resolveModel(wanted ?? recorded.name));
    const pool = await EncodePool.create(settings, { logger, ...(threads === undefined ? {} : { threads }) });
    // The query thread loads while this one computes the fingerprint; its failure is reported by the first query.
    pool.warmQueries().catch((error: unknown) => logger.debug(`loading the query encoder: ${String(error)}`));
    try {
      const fingerprint = await modelFingerprint(settings);
      if (fingerprint !== recorded.fingerprint) throw mismatch(recorded, settings, fingerprint);
    } catch (error) {
      await pool.close();
      throw error;
    }
    for (const note of settings.notes) logger.warn(`${settings.name}: ${note}`);
    return pool;
  }

  async close(): Promise<void> {
    // A model that failed to load was reported to whoever asked for it; there is nothing to close then.
    const pool = await this.pool?.catch(() => undefined);
    await pool?.close();
  }
}

function mismatch(
  recorded: { readonly name: string; readonly fingerprint: string },
  settings: ModelSettings,
  fingerprint: string,
): MaxsimError {
  return new MaxsimError(
    "MODEL_MISMATCH",
    `the index was made with model ${recorded.name} (${recorded.fingerprint.slice(0, 12)}), ` +
      `found ${settings.name} (${fingerprint.slice(0, 12)}) in ${settings.folder}`,
    { hint: "Name the model that the index was made with, or build the index again with this one." },
  );
}
