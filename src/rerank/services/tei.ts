/**
 * Text Embeddings Inference, Hugging Face's server for models on a machine of your own: `POST /rerank`, as
 * https://huggingface.github.io/text-embeddings-inference has it.
 */
import type { Reranker } from "../types.js";
import { countOf } from "./answers.js";
import { type Service, type ServiceOptions, serviceReranker } from "./service.js";

const TEI: Service = {
  name: "tei",
  // A server has one model; requests do not name it.
  defaultModel: "",
  keyVariables: ["TEI_API_KEY"],
  baseUrlVariable: "TEI_BASE_URL",
  publicUrl: () => undefined,
  version: "",
  // The default of the server's option --max-client-batch-size.
  limits: { documents: 32 },
  cutsDocuments: false,
  dependsOn: () => "document",
  body: ({ query, documents }) => ({ query, texts: documents, truncate: true }),
  read: (json, headers) => {
    return {
      scores: { place: "the answer", rows: json, score: "score" },
      // The body has no counts.
      usage: { inputTokens: countOf(Number(headers.get("x-compute-tokens"))) },
    };
  },
};

/**
 * Address: option `baseUrl` or TEI_BASE_URL, such as http://localhost:8080. Key, where the server asks for one: option `apiKey` or
 * TEI_API_KEY. `model` is what the reranker is called, and keeps scores of different models in a cache apart; `batchSize` is what the
 * server was started with as --max-client-batch-size, by default 32.
 */
export function teiReranker(options: ServiceOptions = {}): Reranker {
  return serviceReranker(TEI, options);
}
