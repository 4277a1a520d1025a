/** Entry of a scoring thread. */
import { selectKernels } from "../kernels/select.js";
import { scoreRange } from "../search/scorer.js";
import type { ScoreTask } from "./score-messages.js";

const { backend } = selectKernels();

export default function score(task: ScoreTask): Float32Array {
  const { stage, query, offsets, compressed, passages, from, to } = task;
  return scoreRange(backend, stage, query, { offsets, compressed }, passages, from, to);
}
