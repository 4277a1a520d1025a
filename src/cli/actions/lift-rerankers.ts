/** The rerankers that `maxsim lift` compares, opened by name. */
import { MaxsimError } from "../../common/errors.js";
import type { Logger } from "../../common/logger.js";
import type { Index } from "../../engine/index.js";
import { loadReranker } from "../../rerank/load.js";
import type { LiftCommandOptions } from "../commands/lift.js";
import type { Contender } from "./lift-runs.js";

/** The name of the reranker that takes the vectors that the index has. */
export const STORED = "late";
/** Warnings of one reranker that are shown; the rest is counted. */
const SHOWN_WARNINGS = 3;

/**
 * Those that need no index, before one is built: a key or a model that is missing is told at once. Errors: those of loadReranker.
 */
export async function openContenders(
  names: readonly string[],
  { threads, onFailure }: Pick<LiftCommandOptions, "threads" | "onFailure">,
  logger: Logger,
  signal: AbortSignal,
): Promise<Contender[]> {
  const own = { onFailure, signal, ...(threads === undefined ? {} : { threads }) };
  const contenders: Contender[] = [];
  try {
    for (const name of names.filter((other) => other !== STORED)) {
      contenders.push({
        name,
        reranker: await loadReranker(name, { ...own, logger: sparingLogger(logger) }),
      });
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

/** All of the names in their order: those that are open, and the one of the index, which closes with it. */
export function allContenders(
  names: readonly string[],
  open: readonly Contender[],
  index: Index | undefined,
  logger: Logger,
): Contender[] {
  return names.map((name) => {
    const known = open.find((contender) => contender.name === name);
    if (known !== undefined) return known;
    if (index === undefined) throw new MaxsimError("INTERNAL", "the stored vectors need an index");
    return { name, reranker: index.reranker({ logger: sparingLogger(logger) }) };
  });
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
