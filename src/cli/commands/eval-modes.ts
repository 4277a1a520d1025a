/** What `maxsim eval` compares under which names. "late+lexical" is late interaction with candidates of BM25. */

export const EVAL_MODES = ["lexical", "late", "late+lexical", "hybrid"] as const;
export type EvalMode = (typeof EVAL_MODES)[number];
