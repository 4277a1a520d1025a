/** What a dialect's files say, before it is checked against vocabulary and graph. */
import type { ConfigDialect } from "../settings.js";

/** A marker as configured; the id where the file states it. */
export interface MarkerReading {
  readonly text: string;
  readonly id?: number | undefined;
  /** The file that names it, for messages. */
  readonly file: string;
}

export interface ExpansionReading {
  readonly strategy: "fixed" | "min";
  readonly length: number;
  readonly attend: boolean;
  /** A token's text or id; undefined means the tokenizer's mask token. */
  readonly token: string | number | undefined;
}

/** A Dense module whose weights are still on disk. */
export interface DenseReading {
  /** Name of the weights file inside the model folder. */
  readonly file: string;
  /** As declared; undefined where only the weights tell (Stanford). */
  readonly inFeatures: number | undefined;
  readonly outFeatures: number | undefined;
  readonly bias: boolean;
  /** Dotted class path of the activation function; undefined means identity. */
  readonly activation: string | undefined;
  readonly residual: boolean;
}

export interface DialectReading {
  readonly dialect: ConfigDialect;
  readonly name: string | undefined;
  readonly dim: number | undefined;
  /** Positions; undefined where the files leave it open. */
  readonly queryLength: number | undefined;
  readonly documentLength: number | undefined;
  readonly queryMarker: MarkerReading | null;
  readonly documentMarker: MarkerReading | null;
  readonly queryPrompt: string;
  readonly documentPrompt: string;
  readonly expansion: ExpansionReading | null;
  readonly skiplistWords: readonly string[];
  /** How a word becomes an id: as a vocabulary entry, or as the first token of the encoded word (Stanford). */
  readonly skiplistLookup: "vocabulary" | "first-token";
  readonly lowercase: boolean;
  readonly padTokenId: number | undefined;
  readonly usesTokenTypeIds: boolean | undefined;
  readonly dense: readonly DenseReading[];
  readonly notes: readonly string[];
}

/** Python's `string.punctuation`, the usual skiplist. */
export const PUNCTUATION: readonly string[] = [..."!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"];
