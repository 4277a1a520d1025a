/**
 * maxsim: late-interaction (ColBERT) search for Node.js.
 *
 * @module
 */
export { type ErrorCode, isMaxsimError, MaxsimError } from "./common/errors.js";
export type { JsonValue } from "./common/json.js";
export type { Logger } from "./common/logger.js";
export type { ProgressEvent, ProgressListener, ProgressStage } from "./common/progress.js";
export { PACKAGE_VERSION as version } from "./common/version.js";
export { type CorpusItem, type CorpusOptions, readCorpus } from "./datasets/corpus.js";
export type { StoredDocument } from "./documents/records.js";
export type { DocumentInput, Metadata } from "./documents/types.js";
export { type Check, runDoctor } from "./engine/doctor.js";
export { Encoder } from "./engine/encoder.js";
export { Index } from "./engine/index.js";
export type {
  AddOptions,
  AddReport,
  CreateOptions,
  DeleteReport,
  EmbeddedDocument,
  Hit,
  IndexInfo,
  OpenOptions,
  SearchOptions,
  SearchResult,
} from "./engine/options.js";
export type { VectorRows } from "./engine/rows.js";
export type { KernelAttempt, KernelInfo } from "./kernels/backend.js";
export type { SearchExplanation, StageTrace } from "./search/explain.js";
export type { SearchEffort, SearchTuning } from "./search/parameters.js";
export type { Snippet } from "./text/snippet.js";
export type { LineMark, TextBlock } from "./text/types.js";
