/** Reads where documents came from, as a generation sees it; each row is checked, and so is their number. */
import type Database from "better-sqlite3";
import { damagedCatalog } from "./damaged-catalog.js";
import { fromJsonText } from "./json-text.js";
import type { RootRecord, Snapshot, SourceRecord } from "./records.js";
import { RowQuery } from "./rows.js";

const LIVE = "WHERE gen_added <= ? AND (gen_dropped IS NULL OR gen_dropped > ?)";

export class SourceReader {
  private readonly rootsOf: RowQuery<"roots">;
  private readonly sourcesOf: RowQuery<"sources">;

  constructor(private readonly db: Database.Database) {
    this.rootsOf = new RowQuery(db, "roots", `${LIVE} ORDER BY root_no`);
    this.sourcesOf = new RowQuery(db, "sources", `${LIVE} ORDER BY source_no`);
  }

  roots({ generation, roots }: Snapshot): RootRecord[] {
    const rows = this.rootsOf.ascending(generation, generation);
    this.expect("roots", roots, rows.length);
    return rows.map(([rootNo, , , path, prefix, text]) => ({
      rootNo,
      path,
      prefix,
      options: fromJsonText(text, `${this.db.name}: the options of root ${rootNo}`),
    }));
  }

  sources({ generation, sources }: Snapshot): SourceRecord[] {
    const rows = this.sourcesOf.ascending(generation, generation);
    this.expect("sources", sources, rows.length);
    return rows.map(([sourceNo, , , rootNo, path, size, modified, sha256]) => ({
      sourceNo,
      rootNo,
      path,
      size,
      modified,
      sha256,
    }));
  }

  private expect(what: string, stated: number, found: number): void {
    if (stated !== found) throw damagedCatalog(this.db.name, `it has ${found} ${what}, expected ${stated}`);
  }
}
