/**
 * Rerankers: better orders for the candidates of any search.
 *
 * @module
 */
export { type ErrorCode, isMaxsimError, MaxsimError } from "../common/errors.js";
export type { Logger } from "../common/logger.js";
export {
  defaultScoreCachePath,
  type ScoreCacheOptions,
  type ScoreCacheStats,
  SqliteScoreCache,
} from "../storage/score-cache.js";
export { type ChainOptions, type ChainStage, chainReranker } from "./chain.js";
export { type CrossEncoderOptions, crossEncoderReranker } from "./cross-encoder.js";
export { type LateOptions, lateReranker } from "./late.js";
export { type LlmMethod, type LlmOptions, llmReranker, type TokenPrice } from "./llm/index.js";
export { type LoadRerankerOptions, loadReranker } from "./load.js";
export { type MonitorReport, monitored, PROMETHEUS_CONTENT_TYPE, RerankMonitor } from "./monitor.js";
export type { Distribution } from "./monitor-histogram.js";
export type { RerankerReport } from "./monitor-series.js";
export { Reranker } from "./reranker.js";
export type { ScoreCache } from "./score-cache.js";
export {
  type DocumentScores,
  orderScores,
  type ScorableDocument,
  type ScoreOptions,
  type ScoreRequest,
  type Scorer,
} from "./scorer.js";
export { type ScoringOptions, ScoringReranker } from "./scoring-reranker.js";
export { cohereReranker } from "./services/cohere.js";
export { jinaReranker } from "./services/jina.js";
export type { ServiceOptions, ServicePrice } from "./services/service.js";
export { teiReranker } from "./services/tei.js";
export { voyageReranker } from "./services/voyage.js";
export type {
  RerankDocument,
  Reranked,
  RerankFields,
  RerankOptions,
  RerankOutcome,
  RerankRequest,
  RerankUsage,
} from "./types.js";
