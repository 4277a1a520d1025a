/** What the config dialects of ColBERT checkpoints all come down to. */

/** A token put at position 1, after the first special token; null where the model has none. */
export interface Marker {
  readonly text: string;
  readonly id: number;
}

export interface QueryExpansion {
  /** "fixed": exactly `length` positions; "min": at least `length`. `length` counts special tokens and marker. */
  readonly strategy: "fixed" | "min";
  readonly length: number;
  /** Whether expansion positions are attended to. They are scored either way. */
  readonly attend: boolean;
  readonly tokenId: number;
}

/** One Dense module: y = activation(W x + b) [+ R x]. */
export interface DenseLayer {
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** f32 `[outFeatures][inFeatures]`. */
  readonly weight: Float32Array;
  readonly bias: Float32Array | undefined;
  readonly activation: "identity" | "tanh" | "relu" | "gelu" | "silu" | "sigmoid";
  /** f32 `[outFeatures][inFeatures]`, "identity" for a plain residual connection. */
  readonly residual: Float32Array | "identity" | undefined;
}

export type ConfigDialect = "sentence-transformers" | "pylate" | "stanford" | "next-plaid";

export interface ModelSettings {
  readonly name: string;
  /** Absolute path of the model folder. */
  readonly folder: string;
  readonly dialect: ConfigDialect;
  /** Dimension of the token vectors that leave the model. */
  readonly dim: number;
  /** Limits in positions: special tokens and marker included. */
  readonly queryLength: number;
  readonly documentLength: number;
  readonly queryMarker: Marker | null;
  readonly documentMarker: Marker | null;
  /** Text put before a query or document, such as a task prompt; usually empty. */
  readonly queryPrompt: string;
  readonly documentPrompt: string;
  readonly expansion: QueryExpansion | null;
  /** Token ids whose document vectors are dropped. Never applied to queries. */
  readonly skiplist: ReadonlySet<number>;
  readonly lowercase: boolean;
  readonly padTokenId: number;
  readonly usesTokenTypeIds: boolean;
  /** Applied after the graph when the graph lacks the projection; empty when it has it. */
  readonly projection: readonly DenseLayer[];
  /** Absolute paths. */
  readonly graphFile: string;
  readonly tokenizerFile: string;
  /** Warnings worth showing, such as a flag that a known exporter writes wrongly. */
  readonly notes: readonly string[];
}
