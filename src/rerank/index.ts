/**
 * Rerankers: better orders for the candidates of any search.
 *
 * @module
 */
export { MaxsimError } from "../common/errors.js";
export type {
  RerankDocument,
  Reranked,
  Reranker,
  RerankFields,
  RerankOptions,
  RerankOutcome,
  RerankRequest,
  RerankUsage,
} from "./types.js";
