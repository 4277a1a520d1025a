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
export { type DistillResult, distill } from "./distillation/distill.js";
export type { DistillReport } from "./distillation/report.js";
export type { DistillOptions, DistillQuery, TrainingFormat } from "./distillation/types.js";
export { checkFilter } from "./documents/filter/check-filter.js";
export { formatFilter } from "./documents/filter/format-filter.js";
export { matchesFilter } from "./documents/filter/match-filter.js";
export { parseFilter } from "./documents/filter/parse-filter.js";
export type { Filter, FilterDate, FilterInput, FilterValue } from "./documents/filter/types.js";
export type { GenerationRecord, Operation, StoredDocument } from "./documents/records.js";
export type { OnDuplicate } from "./documents/staging.js";
export type { DocumentInput, Metadata } from "./documents/types.js";
export type { BackupOptions, BackupReport } from "./engine/backup.js";
export type { CompactOptions, CompactReport } from "./engine/compact.js";
export { type Check, runDoctor } from "./engine/doctor.js";
export { Encoder } from "./engine/encoder.js";
export type { FilterArgument } from "./engine/filtering.js";
export { Index } from "./engine/index.js";
export type {
  AddOptions,
  AddReport,
  CreateOptions,
  DeleteReport,
  DocumentPatch,
  EmbeddedDocument,
  ExplainedToken,
  HistoryEntry,
  HistoryOptions,
  Hit,
  IndexInfo,
  ListOptions,
  OpenOptions,
  SearchOptions,
  SearchReranking,
  SearchRerankOptions,
  SearchResult,
  SegmentInfo,
  TokenMatches,
  UpdateReport,
} from "./engine/options.js";
export type { ReclusterReport } from "./engine/recluster.js";
export {
  type LostDocument,
  type RepairNeed,
  type RepairOptions,
  type RepairReport,
  type RepairStep,
  repairIndex,
  type UnrepairedDamage,
} from "./engine/repair.js";
export type { RestoreOptions, RestoreReport } from "./engine/restore.js";
export type { VectorRows } from "./engine/rows.js";
export type { SyncOptions, SyncReport } from "./engine/sync-report.js";
export {
  type IndexProblem,
  type VerifyOptions,
  type VerifyReport,
  verifyIndex,
} from "./engine/verify.js";
export type { KernelAttempt, KernelInfo } from "./kernels/backend.js";
export * from "./rerank/index.js";
export type { SearchExplanation, StageTrace } from "./search/explain.js";
export type { SearchEffort, SearchTuning } from "./search/parameters.js";
export type { PositionUnit } from "./text/positions.js";
export type { Snippet } from "./text/snippet.js";
export type { LineMark, TextBlock } from "./text/types.js";
