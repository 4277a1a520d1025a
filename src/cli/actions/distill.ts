/** `maxsim distill`: opens index and teachers, distills, and says what came of it. */
import { resolve } from "node:path";
import { isMaxsimError, MaxsimError } from "../../common/errors.js";
import type { Logger } from "../../common/logger.js";
import { type DistillResult, distill } from "../../distillation/distill.js";
import { readQueryFile } from "../../distillation/queries.js";
import { Index } from "../../engine/index.js";
import { loadReranker } from "../../rerank/load.js";
import type { Reranker } from "../../rerank/types.js";
import type { DistillCommandOptions } from "../commands/distill.js";
import { commandLogger } from "../common-options.js";
import { type CommandContext, shownPath, terminalWidth } from "../context.js";
import { createColors } from "../render/color.js";
import { renderDistillation } from "../render/distill.js";
import { renderJson } from "../render/json.js";
import { withProgress } from "../with-progress.js";

export async function distillIndex(
  folder: string,
  options: DistillCommandOptions,
  context: CommandContext,
): Promise<void> {
  const started = performance.now();
  const logger = commandLogger(context, options);
  const path = resolve(folder);
  const result = await withProgress(path, { ...options, index: folder }, context, async (onProgress) => {
    const queries = options.queries === undefined ? {} : { queries: await readQueryFile(options.queries) };
    const { model, threads, depth, formats, negatives, minMargin, seed, concurrency } = options;
    const index = await Index.open(path, {
      logger,
      ...(model === undefined ? {} : { model }),
      ...(threads === undefined ? {} : { threads }),
    });
    const teachers: Reranker[] = [];
    try {
      for (const spec of [options.teacher, options.secondTeacher]) {
        if (spec !== undefined) teachers.push(await openTeacher(spec, options, logger, context.signal));
      }
      const [teacher, secondTeacher] = teachers;
      return await distill(index, {
        out: options.out ?? "",
        teacher: teacher!,
        ...(secondTeacher === undefined ? {} : { secondTeacher }),
        ...queries,
        ...{ depth, formats, negatives, minMargin, seed, concurrency },
        ...(options.mode === undefined ? {} : { mode: options.mode }),
        ...(options.ways === undefined ? {} : { ways: options.ways }),
        ...(options.limit === undefined ? {} : { limit: options.limit }),
        restart: options.restart === true,
        ...{ logger, onProgress, signal: context.signal },
      });
    } catch (error) {
      throw withWayOn(error);
    } finally {
      await Promise.all([index.close(), ...teachers.map((teacher) => teacher.close())]);
    }
  });
  print(result, (performance.now() - started) / 1000, options, context);
}

/** A failure is an error: a query that it is of is left out, whichever stage of a chain it was. */
function openTeacher(
  spec: string,
  { threads }: DistillCommandOptions,
  logger: Logger,
  signal: AbortSignal,
): Promise<Reranker> {
  const own = threads === undefined ? {} : { threads };
  return loadReranker(spec, { ...own, onFailure: "error", logger, signal });
}

/** The error; one of an interruption with a hint that nothing is lost. */
function withWayOn(error: unknown): unknown {
  if (!isMaxsimError(error) || error.code !== "ABORTED") return error;
  return new MaxsimError("ABORTED", error.message, {
    hint: "What was ranked is kept; the same command goes on with it.",
    cause: error,
  });
}

function print(
  result: DistillResult,
  seconds: number,
  options: DistillCommandOptions,
  context: CommandContext,
): void {
  const { folder, resumed, failures, report } = result;
  if (options.json === true) {
    context.stdout.write(renderJson({ folder, seconds, resumed, failures, ...report }));
    return;
  }
  const style = { colors: createColors(context.stdout, context.env), ...terminalWidth(context.stdout) };
  context.stdout.write(renderDistillation({ ...result, folder: shownPath(folder), seconds }, style));
  if (failures.length > 0) context.stderr.write("the same command asks again for what failed\n");
}
