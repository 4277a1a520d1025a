/** Jina AI's rerank API: `POST /v1/rerank`, as https://api.jina.ai/redoc has it. */
import type { Reranker } from "../types.js";
import { countOf, fieldsOf } from "./answers.js";
import { type Service, type ServiceOptions, serviceReranker } from "./service.js";

/** Models that look at one document at a time; those from version 3 on read all of them in one context. */
const ONE_BY_ONE = /^jina-(colbert-|reranker-(v[12]-|m0))/;

const JINA: Service = {
  name: "jina",
  defaultModel: "jina-reranker-v3.5",
  keyVariables: ["JINA_API_KEY"],
  baseUrlVariable: "JINA_BASE_URL",
  publicUrl: () => "https://api.jina.ai",
  version: "v1",
  // No limit is published.
  limits: { documents: 1_000 },
  cutsDocuments: false,
  dependsOn: (model) => (ONE_BY_ONE.test(model) ? "document" : "list"),
  body: ({ model, query, documents }) => ({ model, query, documents, return_documents: false }),
  read: (json) => {
    const { results, usage } = fieldsOf(json);
    return {
      scores: { place: "results", rows: results, score: "relevance_score" },
      usage: { inputTokens: countOf(fieldsOf(usage).total_tokens) },
    };
  },
};

/**
 * Key: option `apiKey` or JINA_API_KEY. Address: option `baseUrl`, JINA_BASE_URL or https://api.jina.ai. Default model:
 * jina-reranker-v3.5, whose scores depend on the other documents of the request.
 */
export function jinaReranker(options: ServiceOptions = {}): Reranker {
  return serviceReranker(JINA, options);
}
