/** What reads a catalog through one connection; statements are prepared once. */
import type Database from "better-sqlite3";
import { MaxsimError } from "../common/errors.js";
import { LexicalReader } from "../lexical/reader.js";
import { hasLexicalTable } from "../lexical/table.js";
import { guard } from "./connection.js";
import { DocumentReader } from "./document-reader.js";
import { PassageFacts } from "./passage-facts.js";
import { SnapshotReader } from "./snapshot.js";
import { SourceReader } from "./source-reader.js";

export class Readers {
  readonly snapshots: SnapshotReader;
  readonly documents: DocumentReader;
  readonly sources: SourceReader;
  readonly facts: PassageFacts;
  private lexical: LexicalReader | undefined;

  /** Errors: CORRUPT when a table cannot be read from. */
  constructor(readonly db: Database.Database) {
    [this.snapshots, this.documents, this.sources, this.facts] = guard(db.name, "read", () => [
      new SnapshotReader(db),
      new DocumentReader(db),
      new SourceReader(db),
      new PassageFacts(db),
    ]);
  }

  /** Made at the first use: damage to the full-text table stops nobody who needs no words. */
  get words(): LexicalReader {
    if (this.lexical === undefined) {
      if (!hasLexicalTable(this.db)) {
        throw new MaxsimError("NO_LEXICAL_INDEX", `the index of ${this.db.name} was made without words`, {
          hint: 'Search in the mode "late", or build the index with another setting of "lexical".',
        });
      }
      this.lexical = new LexicalReader(this.db);
    }
    return this.lexical;
  }
}
