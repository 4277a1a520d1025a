/**
 * Lies whose checksums are right: rows of the catalog and binary files are rewritten together with everything that is
 * computed from them, so that a reader gets to the content itself.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { readImage, writeImage } from "./section-image.mjs";

const { rowChecksum } = await import(new URL("../../../dist/documents/row-checksum.js", import.meta.url));

const EXTENSION = { segments: ".segment", codecs: ".codec" };

/** The catalog of an index, open for rewriting. */
export class Forger {
  #db;

  constructor(folder) {
    this.folder = folder;
    this.#db = new Database(join(folder, "catalog.sqlite"));
  }

  /** The columns in their order, `checksum` last; `key` is true for those of the key. */
  columns(table) {
    return this.#db.pragma(`table_info(${table})`).map(({ name, type, notnull, pk }) => ({
      name,
      type,
      notnull: notnull === 1,
      key: pk > 0,
    }));
  }

  /** All tables of rows with a checksum. */
  tables() {
    const names = this.#db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
      .pluck()
      .all();
    return names.filter((table) => this.columns(table).at(-1)?.name === "checksum");
  }

  keys(table) {
    return this.columns(table)
      .filter(({ key }) => key)
      .map(({ name }) => name);
  }

  rows(table) {
    const order = this.keys(table).map((name) => `"${name}"`);
    return this.#db.prepare(`SELECT * FROM ${table} ORDER BY ${order.join(", ")}`).all();
  }

  /** Puts `values` into the row in the place of `row`, or beside all rows without one, with the checksum that they have. */
  put(table, row, values) {
    const names = this.columns(table).map(({ name }) => name);
    const next = { ...row, ...values };
    // A reader gets numbers.
    const read = names
      .slice(0, -1)
      .map((name) => (typeof next[name] === "bigint" ? Number(next[name]) : next[name]));
    next.checksum = rowChecksum(table, read);
    if (row !== undefined) this.remove(table, row);
    const quoted = names.map((name) => `"${name}"`).join(", ");
    this.#db
      .prepare(`INSERT INTO ${table} (${quoted}) VALUES (${names.map(() => "?").join(", ")})`)
      .run(...names.map((name) => next[name]));
  }

  remove(table, row) {
    const keys = this.keys(table);
    const where = keys.map((name) => `"${name}" = ?`).join(" AND ");
    this.#db.prepare(`DELETE FROM ${table} WHERE ${where}`).run(...keys.map((name) => row[name]));
  }

  /**
   * Rewrites the file of a row of `segments` or `codecs`, and the row. `change` gets the image, `edit` the bytes before the
   * checksums; what `change` returns goes into the row as well.
   */
  rewrite(table, row, change, edit) {
    const image = readImage(readFileSync(join(this.folder, row.name)));
    const values = change(image) ?? {};
    const { bytes, ...file } = writeImage(image, edit);
    const name = `${table}/${file.fileId}${EXTENSION[table]}`;
    rmSync(join(this.folder, row.name));
    writeFileSync(join(this.folder, name), bytes);
    const { fileId, length, crc32, sha256 } = file;
    this.put(table, row, { name, file_id: fileId, length, crc32, sha256, ...values });
  }

  close() {
    this.#db.pragma("wal_checkpoint(TRUNCATE)");
    this.#db.close();
  }
}
