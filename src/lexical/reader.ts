/** Searches in the full-text table: BM25 as FTS5 computes it (k1 = 1.2, b = 0.75), and passages that hold a phrase. */
import type Database from "better-sqlite3";
import { LEXICAL_TABLE } from "./table.js";
import { quoted } from "./terms.js";
import type { WordRanking, WordSearch } from "./types.js";

interface FoundTerm {
  readonly term: string;
  /** Passages that hold it. */
  readonly passages: number;
}

/** Weights of the columns context, text and parts: measured in docs/evaluation.md, "Lexical search". */
const COLUMN_WEIGHTS = "bm25(2.0, 1.0, 0.5)";

const ACCEPTS = "maxsim_accepts";

export class LexicalReader {
  private accepted: Uint8Array = new Uint8Array(0);
  private readonly best: Database.Statement<[string, string, number], [passageNo: number, rank: number]>;
  private readonly containing: Database.Statement<[string], number>;
  private readonly frequency: Database.Statement<[string, number], number>;

  /** @param db with a full-text table. */
  constructor(db: Database.Database) {
    db.function(
      ACCEPTS,
      { directOnly: true },
      (passageNo: unknown) => this.accepted[passageNo as number] ?? 0,
    );
    // With nothing but `rank` to order by, FTS5 sorts by itself and hands out row after row: few are looked at.
    this.best = db
      .prepare<[string, string, number], [number, number]>(
        `SELECT rowid, rank FROM ${LEXICAL_TABLE} WHERE ${LEXICAL_TABLE} MATCH ? AND rank MATCH ? AND ${ACCEPTS}(rowid)
           ORDER BY rank LIMIT ?`,
      )
      .raw();
    this.containing = db
      .prepare<[string], number>(`SELECT rowid FROM ${LEXICAL_TABLE} WHERE ${LEXICAL_TABLE} MATCH ?`)
      .pluck();
    this.frequency = db
      .prepare<[string, number], number>(
        `SELECT count(*) FROM (SELECT 1 FROM ${LEXICAL_TABLE} WHERE ${LEXICAL_TABLE} MATCH ? LIMIT ?)`,
      )
      .pluck();
  }

  /**
   * The best passages. The statistics of BM25 are those of all rows, deleted passages that are not purged yet among them.
   */
  search({ terms, accepted, limit, passages, budget }: WordSearch): WordRanking {
    const used = this.affordable(terms, budget);
    const scale = used.reduce((sum, term) => sum + inverseFrequency(passages, term.passages), 0);
    if (used.length === 0 || limit === 0) return { found: [], scale };
    this.accepted = accepted;
    const found = this.best
      .all(used.map(({ term }) => quoted(term)).join(" OR "), COLUMN_WEIGHTS, limit)
      .map(([passageNo, rank]) => ({ passageNo, score: -rank }))
      .sort((a, b) => b.score - a.score || a.passageNo - b.passageNo);
    return { found, scale };
  }

  /** Numbers of all passages that hold the words side by side, in this order, ascending. */
  passagesWith(phrase: string): number[] {
    return this.containing.all(quoted(phrase)).sort((a, b) => a - b);
  }

  /** The rarest terms, in the order of the query, as many as are found in `budget` passages together. */
  private affordable(terms: readonly string[], budget: number): readonly FoundTerm[] {
    const found = terms.map((term, place) => ({
      term,
      place,
      passages: this.frequency.get(quoted(term), budget + 1)!,
    }));
    let sum = 0;
    const kept = found
      .filter(({ passages }) => passages > 0)
      .sort((a, b) => a.passages - b.passages || a.place - b.place)
      .filter(({ passages }, i) => {
        sum += passages;
        return i === 0 || sum <= budget;
      });
    return kept.sort((a, b) => a.place - b.place);
  }
}

/** As FTS5 has it: a term that more than half of the passages hold still counts a little. */
function inverseFrequency(passages: number, having: number): number {
  const ratio = (passages - having + 0.5) / (having + 0.5);
  return ratio > 1 ? Math.log(ratio) : 1e-6;
}
