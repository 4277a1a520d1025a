/** Runs in the TREC format: `query Q0 document rank score tag`, one line a hit. Written and read. */
import { open } from "node:fs/promises";
import { ioError, MaxsimError } from "../common/errors.js";
import type { RankedDocument, Run } from "../evaluation/types.js";
import { readLines } from "./lines.js";
import { invalidRecord } from "./record.js";

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

const HINT = "Each line is: query id, Q0, document id, rank, score, tag, with white space between them.";
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * Reads a run file; ids are as they stand there (see `runId`). Ranks and tags are not looked at: scores decide, as in trec_eval.
 * Errors: INVALID_INPUT naming the line, for another number of columns, a score that is no finite number, a document that
 * stands twice for a query; also for a file without a line. PATH_NOT_FOUND, IO.
 */
export async function readTrecRun(path: string): Promise<Run> {
  const run = new Map<string, RankedDocument[]>();
  const places = new Map<string, Map<string, number>>();
  for await (const { line, text } of readLines(path)) {
    if (text === undefined) throw invalidRecord(path, line, "the line is too long", {}, HINT);
    if (text.trim() === "") continue;
    const columns = text.trim().split(/\s+/);
    if (columns.length !== 6) {
      throw invalidRecord(path, line, `6 columns were expected, found ${columns.length}`, {}, HINT);
    }
    const [queryId = "", , id = "", , scoreText = ""] = columns;
    const score = Number(scoreText);
    if (!NUMBER.test(scoreText) || !Number.isFinite(score)) {
      const found = JSON.stringify(scoreText);
      throw invalidRecord(path, line, `the score must be a finite number, found ${found}`, {}, HINT);
    }
    const seen = places.get(queryId) ?? new Map<string, number>();
    places.set(queryId, seen);
    const earlier = seen.get(id);
    if (earlier !== undefined) {
      const hint = "Keep each document once a query, with its best score.";
      throw invalidRecord(
        path,
        line,
        `${id} stands in line ${earlier} already for query ${queryId}`,
        {},
        hint,
      );
    }
    seen.set(id, line);
    const documents = run.get(queryId);
    if (documents === undefined) run.set(queryId, [{ id, score }]);
    else documents.push({ id, score });
  }
  if (run.size === 0) throw new MaxsimError("INVALID_INPUT", `${path} holds no answers`, { hint: HINT });
  return run;
}
