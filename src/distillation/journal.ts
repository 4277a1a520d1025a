/**
 * What teachers have said, kept as it comes, so that a run that was killed asks nothing twice:
 *
 *   <out>/rankings.jsonl          the teacher's rankings
 *   <out>/second-rankings.jsonl   those of the second teacher
 *
 * The first line holds the settings that decide rankings, every further one is the ranking of a query, durable before the next query
 * is asked for. Lines are in the order in which answers came. Texts are not kept: the index has them.
 */
import { createHash } from "node:crypto";
import { MaxsimError } from "../common/errors.js";
import { readLines } from "../datasets/lines.js";
import type { RerankUsage } from "../rerank/types.js";
import { LineLog } from "../storage/line-log.js";
import type { PassagePlace } from "./training-texts.js";
import type { DistillQuery } from "./types.js";

export const RANKINGS_NAME = "rankings.jsonl";
export const SECOND_RANKINGS_NAME = "second-rankings.jsonl";
const VERSION = 1;

/** What a teacher said of the candidates of a query. */
export interface Ranking {
  readonly queryId: string;
  /** `queryKey` of the query. */
  readonly key: string;
  /** In the order of the first stage, no two with the same text. */
  readonly candidates: readonly PassagePlace[];
  /** The teacher's, one a candidate, in the same order. */
  readonly scores: readonly number[];
  /** Positions of the candidates, the teacher's best first. */
  readonly order: readonly number[];
  readonly usage: RerankUsage;
  /** The teacher's, such as of documents that were cut. */
  readonly warnings: readonly string[];
}

/** Settings by name, as a message calls them. */
export type JournalSettings = Readonly<Record<string, string | number>>;

/** What tells a query from another one of the same id. */
export function queryKey({ text }: DistillQuery): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

export class Journal {
  private constructor(
    private readonly log: LineLog,
    private readonly rankings: Map<string, Ranking>,
  ) {}

  /**
   * Goes on with the journal at `path`, or begins it. Errors: INVALID_ARGUMENT when it was begun with other settings, CORRUPT
   * naming a line that is none, FORMAT_TOO_NEW, IO, DISK_FULL.
   */
  static async open(path: string, settings: JournalSettings): Promise<Journal> {
    const head = JSON.stringify({ distillation: VERSION, settings });
    const log = LineLog.open(path, { head, isWhole: isJson });
    try {
      const rankings = new Map<string, Ranking>();
      for await (const { line, text = "" } of readLines(path)) {
        const record = parse(path, line, text);
        if (line === 1) checkHead(path, record, settings);
        else {
          const ranking = rankingOf(path, line, record);
          rankings.set(ranking.queryId, ranking);
        }
      }
      return new Journal(log, rankings);
    } catch (error) {
      log.close();
      throw error;
    }
  }

  /** The ranking of a query; undefined where there is none, or one of another text. */
  get(query: DistillQuery): Ranking | undefined {
    const ranking = this.rankings.get(query.id);
    return ranking?.key === queryKey(query) ? ranking : undefined;
  }

  /** Keeps a ranking; it is durable then. Errors: IO, DISK_FULL. */
  add(ranking: Ranking): void {
    const { queryId, key, candidates, scores, order, usage, warnings } = ranking;
    const places = candidates.map(({ documentId, passage }) => [documentId, passage]);
    this.log.append(
      JSON.stringify({ query: queryId, key, candidates: places, scores, order, usage, warnings }),
    );
    this.rankings.set(queryId, ranking);
  }

  close(): void {
    this.log.close();
  }
}

type Fields = Readonly<Record<string, unknown>>;

function isJson(line: string): boolean {
  try {
    return typeof JSON.parse(line) === "object";
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function parse(path: string, line: number, text: string): Fields {
  if (!isJson(text)) throw damaged(path, line, "it is no JSON object");
  return JSON.parse(text) as Fields;
}

function checkHead(path: string, head: Fields, settings: JournalSettings): void {
  const { distillation, settings: known } = head;
  if (typeof distillation !== "number" || typeof known !== "object" || known === null) {
    throw damaged(path, 1, "it does not hold the settings");
  }
  if (distillation !== VERSION) {
    throw new MaxsimError(
      "FORMAT_TOO_NEW",
      `${path} has the format ${distillation}, this version reads ${VERSION}`,
      { hint: "Update maxsim, or begin anew with --restart (restart)." },
    );
  }
  const names = [...new Set([...Object.keys(settings), ...Object.keys(known)])];
  const different = names.filter((name) => (known as Fields)[name] !== settings[name]);
  if (different.length === 0) return;
  const changes = different.map((name) => `${name} ${(known as Fields)[name]}, now ${settings[name]}`);
  throw new MaxsimError("INVALID_ARGUMENT", `${path} was begun with ${changes.join("; ")}`, {
    hint: "Name another folder with --out, or throw away what was ranked with --restart (restart).",
  });
}

function rankingOf(path: string, line: number, record: Fields): Ranking {
  const { query, key, candidates, scores, order, usage, warnings } = record;
  const count = Array.isArray(candidates) ? candidates.length : -1;
  const sound =
    typeof query === "string" &&
    typeof key === "string" &&
    Array.isArray(candidates) &&
    candidates.every((place) => {
      return Array.isArray(place) && typeof place[0] === "string" && Number.isInteger(place[1]);
    }) &&
    Array.isArray(scores) &&
    scores.length === count &&
    scores.every(Number.isFinite) &&
    Array.isArray(order) &&
    order.length === count &&
    new Set(order).size === count &&
    order.every((at) => Number.isInteger(at) && at >= 0 && at < count) &&
    typeof usage === "object" &&
    usage !== null &&
    Array.isArray(warnings);
  if (!sound) throw damaged(path, line, "it is no ranking");
  return {
    queryId: query,
    key,
    candidates: candidates.map(([documentId, passage]) => ({ documentId, passage })),
    scores: scores as number[],
    order: order as number[],
    usage: usage as RerankUsage,
    warnings: warnings as string[],
  };
}

function damaged(path: string, line: number, problem: string): MaxsimError {
  return new MaxsimError("CORRUPT", `${path}:${line} is damaged: ${problem}`, {
    hint: "Remove this line to rank its query again, or begin anew with --restart (restart).",
  });
}
