/** What the catalog says of the passages that segments hold, without their texts: for checks and repairs. */
import type Database from "better-sqlite3";
import type { DeletedPassages, PassageFact } from "./records.js";

const DELETED = `EXISTS (SELECT 1 FROM tombstones t
  WHERE t.document_no = passages.document_no AND t.gen_deleted <= @generation)`;

interface Range {
  readonly generation: number;
  readonly first: number;
  readonly last: number;
}

export class PassageFacts {
  private readonly page: Database.Statement<[Range & { limit: number }], [number, number, number, number]>;
  private readonly deletedIn: Database.Statement<[Range], [number, number, number]>;
  private readonly searchable: Database.Statement<[Range], [number, number | null]>;

  constructor(db: Database.Database) {
    this.page = db
      .prepare<[Range & { limit: number }], [number, number, number, number]>(
        `SELECT passage_no, document_no, tokens, ${DELETED} FROM passages
           WHERE passage_no BETWEEN @first AND @last ORDER BY passage_no LIMIT @limit`,
      )
      .raw();
    this.deletedIn = db
      .prepare<[Range], [number, number, number]>(
        `SELECT document_no, first_passage, passages FROM tombstones WHERE gen_deleted <= @generation
           AND first_passage <= @last AND first_passage + passages > @first ORDER BY first_passage`,
      )
      .raw();
    this.searchable = db
      .prepare<[Range], [number, number | null]>(
        `SELECT count(*), min(passage_no) FROM passages
           WHERE passage_no BETWEEN @first AND @last AND tokens > 0 AND NOT ${DELETED}`,
      )
      .raw();
  }

  /** At most `limit` passages with numbers `first` .. `last`, ascending. */
  read(range: Range, limit: number): PassageFact[] {
    return this.page.all({ ...range, limit }).map(([passageNo, documentNo, tokens, deleted]) => ({
      passageNo,
      documentNo,
      tokens,
      deleted: deleted === 1,
    }));
  }

  /** Deleted documents with passages among `first` .. `last`, ascending. */
  deleted(range: Range): DeletedPassages[] {
    return this.deletedIn
      .all(range)
      .map(([documentNo, firstPassage, passages]) => ({ documentNo, firstPassage, passages }));
  }

  /** How many live passages with token vectors have numbers `first` .. `last`, and the first of them. */
  live(range: Range): { readonly count: number; readonly first: number | null } {
    const [count, first] = this.searchable.get(range)!;
    return { count, first };
  }
}
