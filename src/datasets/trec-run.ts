/** Runs in the TREC format: `query Q0 document rank score tag`, one line a hit. */
import { open } from "node:fs/promises";
import { ioError, MaxsimError } from "../common/errors.js";

export interface RunAnswer {
  readonly queryId: string;
  /** Best first. */
  readonly hits: ReadonlyArray<{ readonly id: string; readonly score: number }>;
}

const CHUNK = 1 << 16;

/**
 * A column must not hold white space: in an id that does, white space and "%" are percent-encoded (UTF-8), so that
 * decodeURIComponent gives the id back. Other ids stay as they are.
 */
export function runId(id: string): string {
  return /\s/u.test(id) ? id.replace(/[\s%]/gu, encodeURIComponent) : id;
}

/** Lines of one answer, ranks from 1. Errors: INVALID_ARGUMENT for a score that is not finite. */
export function* formatRunLines(answer: RunAnswer, tag: string): Generator<string> {
  let rank = 0;
  for (const { id, score } of answer.hits) {
    if (!Number.isFinite(score)) {
      throw new MaxsimError("INVALID_ARGUMENT", `the score of ${id} for query ${answer.queryId} is ${score}`);
    }
    yield `${runId(answer.queryId)} Q0 ${runId(id)} ${++rank} ${score} ${runId(tag)}\n`;
  }
}

/** Writes a run file, in pieces; an existing file is replaced. Errors: IO, DISK_FULL. */
export async function writeTrecRun(
  path: string,
  answers: Iterable<RunAnswer> | AsyncIterable<RunAnswer>,
  tag: string,
): Promise<void> {
  try {
    const file = await open(path, "w");
    try {
      let text = "";
      for await (const answer of answers) {
        for (const line of formatRunLines(answer, tag)) text += line;
        if (text.length < CHUNK) continue;
        await file.appendFile(text);
        text = "";
      }
      await file.appendFile(text);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw ioError("write", path, error);
  }
}
