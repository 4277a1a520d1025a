/** Voyage AI's rerank API: `POST /v1/rerank`, as https://docs.voyageai.com/reference/reranker-api has it. */
import type { Reranker } from "../types.js";
import { countOf, fieldsOf } from "./answers.js";
import { type Service, type ServiceOptions, serviceReranker } from "./service.js";

const VOYAGE: Service = {
  name: "voyage",
  defaultModel: "rerank-2.5",
  keyVariables: ["VOYAGE_API_KEY"],
  baseUrlVariable: "VOYAGE_BASE_URL",
  // Keys that MongoDB Atlas hands out hold there alone (https://www.mongodb.com/docs/api/doc/atlas-embedding-and-reranking-api).
  publicUrl: (apiKey) => (apiKey.startsWith("al-") ? "https://ai.mongodb.com" : "https://api.voyageai.com"),
  version: "v1",
  // At most 600,000 tokens, the query counted once a document, and 300,000 of the first models; the count here is an estimate.
  limits: { documents: 1_000, tokens: 250_000 },
  cutsDocuments: false,
  dependsOn: () => "document",
  body: ({ model, query, documents }) => {
    return { model, query, documents, return_documents: false, truncation: true };
  },
  read: (json) => {
    const { data, usage } = fieldsOf(json);
    return {
      scores: { place: "data", rows: data, score: "relevance_score" },
      usage: { inputTokens: countOf(fieldsOf(usage).total_tokens) },
    };
  },
};

/**
 * Key: option `apiKey` or VOYAGE_API_KEY. Address: option `baseUrl`, VOYAGE_BASE_URL, or https://api.voyageai.com, and
 * https://ai.mongodb.com for keys of MongoDB Atlas. Default model: rerank-2.5.
 */
export function voyageReranker(options: ServiceOptions = {}): Reranker {
  return serviceReranker(VOYAGE, options);
}
