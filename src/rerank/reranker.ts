/** The interface of all rerankers, and under the same name what makes one. */
import { loadReranker } from "./load.js";
import type { Reranker as RerankerOfTypes } from "./types.js";

export type Reranker = RerankerOfTypes;

/** `await Reranker.load("cross-encoder:cross-encoder/ms-marco-MiniLM-L6-v2")`; see `loadReranker`. */
export const Reranker = { load: loadReranker } as const;
