/** The rerankers that `maxsim lift` compares, opened by name. */
import { MaxsimError } from "../../common/errors.js";
import type { Logger } from "../../common/logger.js";
import type { Index } from "../../engine/index.js";
import { loadReranker } from "../../rerank/load.js";
import type { Reranker } from "../../rerank/types.js";
import type { LiftCommandOptions } from "../commands/lift.js";
import type { Contender } from "./lift-runs.js";

/** The name of the reranker that takes the vectors that the index has. */
export const STORED = "late";
/** Warnings of one reranker that are shown; the rest is counted. */
const SHOWN_WARNINGS = 3;

/** Errors: those of loadReranker. */
export async function openContenders(
  names: readonly string[],
  index: Index | undefined,
  options: Pick<LiftCommandOptions, "threads" | "onFailure">,
  logger: Logger,
  signal: AbortSignal,
): Promise<Contender[]> {
  const contenders: Contender[] = [];
  try {
    for (const name of names) {
      const sparing = sparingLogger(logger);
      contenders.push({ name, reranker: await open(name, index, options, sparing, signal) });
    }
    return contenders;
  } catch (error) {
    await closeContenders(contenders);
    throw error;
  }
}

export async function closeContenders(contenders: readonly Contender[]): Promise<void> {
  await Promise.all(contenders.map(({ reranker }) => reranker.close()));
}

function open(
  name: string,
  index: Index | undefined,
  { threads, onFailure }: Pick<LiftCommandOptions, "threads" | "onFailure">,
  logger: Logger,
  signal: AbortSignal,
): Reranker | Promise<Reranker> {
  if (name !== STORED) {
    return loadReranker(name, { logger, onFailure, signal, ...(threads === undefined ? {} : { threads }) });
  }
  if (index === undefined) throw new MaxsimError("INTERNAL", "the stored vectors need an index");
  return index.reranker({ logger });
}

/** A reranker may warn of every query: the first few say it all. */
function sparingLogger(logger: Logger): Logger {
  let warnings = 0;
  return {
    debug: (message) => logger.debug(message),
    info: (message) => logger.info(message),
    warn: (message) => {
      warnings++;
      if (warnings <= SHOWN_WARNINGS) logger.warn(message);
      else if (warnings === SHOWN_WARNINGS + 1)
        logger.warn("further warnings of this reranker are not shown");
      else logger.debug(message);
    },
  };
}
