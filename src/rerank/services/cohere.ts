/**
 * Cohere's rerank API, version 2: `POST /v2/rerank`, as https://docs.cohere.com/reference/rerank has it. Other servers speak it, too
 * (vLLM, LiteLLM): `baseUrl` points to them.
 */
import type { Reranker } from "../types.js";
import { countOf, fieldsOf } from "./answers.js";
import { type Service, type ServiceOptions, serviceReranker } from "./service.js";

const COHERE: Service = {
  name: "cohere",
  defaultModel: "rerank-v5.0-pro",
  keyVariables: ["COHERE_API_KEY", "CO_API_KEY"],
  baseUrlVariable: "COHERE_BASE_URL",
  publicUrl: () => "https://api.cohere.com",
  version: "v2",
  // More than 1,000 are taken, but not recommended.
  limits: { documents: 1_000 },
  cutsDocuments: true,
  dependsOn: () => "document",
  body: ({ model, query, documents, maxTokensPerDocument }) => {
    return { model, query, documents, max_tokens_per_doc: maxTokensPerDocument };
  },
  read: (json) => {
    const { results, meta } = fieldsOf(json);
    const { billed_units, tokens, warnings } = fieldsOf(meta);
    const billed = fieldsOf(billed_units);
    const counted = fieldsOf(tokens);
    return {
      scores: { place: "results", rows: results, score: "relevance_score" },
      usage: {
        // Billed are search units or tokens, depending on the model.
        searchUnits: countOf(billed.search_units),
        inputTokens: countOf(billed.input_tokens) || countOf(counted.input_tokens),
        outputTokens: countOf(billed.output_tokens) || countOf(counted.output_tokens),
      },
      warnings: Array.isArray(warnings) ? warnings.filter((text) => typeof text === "string") : [],
    };
  },
};

/**
 * Key: option `apiKey`, COHERE_API_KEY or CO_API_KEY. Address: option `baseUrl`, COHERE_BASE_URL or https://api.cohere.com. Default
 * model: rerank-v5.0-pro, whose scores go from 0 to 1.
 */
export function cohereReranker(options: ServiceOptions = {}): Reranker {
  return serviceReranker(COHERE, options);
}
