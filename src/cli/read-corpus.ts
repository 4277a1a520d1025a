/** Documents of the paths on a command line, and what was found besides them. */
import { MaxsimError } from "../common/errors.js";
import type { CorpusItem } from "../datasets/types.js";
import type { DocumentInput } from "../documents/types.js";
import { type Origin, readOrigin, rootsOfIndex } from "../engine/origin.js";
import type { ReadingOptions } from "../engine/sync-roots.js";
import { type CommandContext, shownPath } from "./context.js";
import { formatCount, formatNumber } from "./render/format.js";
import { singleLine } from "./render/plain-text.js";
import { readStandardInput } from "./standard-input.js";
import { STANDARD_INPUT, type StandardInputOptions } from "./standard-input-options.js";

/** What was read besides documents. */
export interface Skipped {
  readonly files: Array<{ readonly path: string; readonly reason: string; readonly failed?: true }>;
  readonly records: Array<{ readonly path: string; readonly line: number; readonly reason: string }>;
  /** Files with byte sequences that are not text in their encoding, and how many were replaced by U+FFFD. */
  readonly replaced: Array<{ readonly path: string; readonly sequences: number }>;
}

export interface CommandCorpus {
  /** Errors: EMPTY_CORPUS once it is over without a document, and those of readCorpus. */
  readonly documents: AsyncGenerator<DocumentInput>;
  /** Grows while the documents are read. */
  readonly skipped: Skipped;
  /** What the index is to remember of the files; grows as well. */
  readonly origin: Origin;
}

const SHOWN_SKIPPED = 5;

const NO_ORIGIN: Origin = { roots: [], files: [] };

/**
 * Standard input comes after the files, of which alone the index remembers something.
 * @param index the folder of the index: its files may lie in a folder that is read, and are no part of the corpus.
 */
export function commandCorpus(
  named: readonly string[],
  index: string,
  options: ReadingOptions,
  input: StandardInputOptions,
  context: CommandContext,
): CommandCorpus {
  const { signal } = context;
  const skipped: Skipped = { files: [], records: [], replaced: [] };
  const paths = named.filter((path) => path !== STANDARD_INPUT);
  const files =
    paths.length === 0
      ? undefined
      : readOrigin(paths, rootsOfIndex(index), options, { excludePaths: [index], signal });
  async function* items(): AsyncGenerator<CorpusItem> {
    if (files !== undefined) yield* files.items;
    if (paths.length < named.length) yield* readStandardInput(context, { ...options, ...input });
  }
  return { documents: documentsOf(named, items(), skipped), skipped, origin: files?.origin ?? NO_ORIGIN };
}

async function* documentsOf(
  paths: readonly string[],
  items: AsyncGenerator<CorpusItem>,
  skipped: Skipped,
): AsyncGenerator<DocumentInput> {
  let found = 0;
  for await (const item of items) {
    if (item.kind === "document") {
      found++;
      if (item.replaced !== undefined && item.document.source !== undefined) {
        skipped.replaced.push({ path: item.document.source.path, sequences: item.replaced });
      }
      yield item.document;
    } else if (item.kind === "invalid") {
      skipped.records.push({ path: item.path, line: item.line, reason: item.reason });
    } else {
      const { path, reason, failed } = item;
      skipped.files.push({ path, reason, ...(failed === undefined ? {} : { failed }) });
    }
  }
  if (found === 0) throw emptyCorpus(paths, skipped);
}

function emptyCorpus(paths: readonly string[], { files, records }: Skipped): MaxsimError {
  const reasons = [
    ...files.map(({ path, reason }) => `${shownPath(path)} (${reason})`),
    ...records.map(({ path, line, reason }) => `${shownPath(path)}:${line} (${reason})`),
  ];
  const counts = [
    ...(files.length > 0 ? [`${formatCount(files.length, "file")} skipped`] : []),
    ...(records.length > 0 ? [`${formatCount(records.length, "malformed record")} skipped`] : []),
  ];
  const more =
    reasons.length > SHOWN_SKIPPED ? ` and ${formatNumber(reasons.length - SHOWN_SKIPPED)} more` : "";
  return new MaxsimError(
    "EMPTY_CORPUS",
    `found no document to index in ${paths.join(", ")}${counts.length === 0 ? "" : `: ${counts.join(", ")}`}`,
    {
      hint:
        reasons.length === 0
          ? "Name a folder or file that holds text."
          : `Skipped: ${reasons.slice(0, SHOWN_SKIPPED).join("; ")}${more}.`,
    },
  );
}

/** The first few of each kind, or with `all` every one, as lines; no text when nothing was skipped. */
export function renderSkipped({ files, records, replaced }: Skipped, all: boolean): string {
  const failed = files.filter((file) => file.failed === true);
  const passedOver = files.filter((file) => file.failed !== true);
  const lines = [
    ...listFiles("could not read", failed, all),
    ...listFiles("skipped", passedOver, all),
    ...list(
      `skipped ${formatCount(records.length, "malformed record")}`,
      records.map(({ path, line, reason }) => `${shownPath(path)}:${line}: ${reason}`),
      all,
    ),
    ...list(
      `replaced invalid characters in ${formatCount(replaced.length, "file")}`,
      replaced.map(({ path, sequences }) => `${shownPath(path)}: ${formatNumber(sequences)}`),
      all,
    ),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function listFiles(verb: string, files: Skipped["files"], all: boolean): string[] {
  const entries = files.map(({ path, reason }) => `${shownPath(path)}: ${reason}`);
  return list(`${verb} ${formatCount(files.length, "file")}`, entries, all);
}

function list(head: string, entries: readonly string[], all: boolean): string[] {
  if (entries.length === 0) return [];
  const shown = all ? entries : entries.slice(0, SHOWN_SKIPPED);
  const lines = [head, ...shown.map((entry) => `  ${singleLine(entry)}`)];
  const hidden = entries.length - shown.length;
  return hidden === 0 ? lines : [...lines, `  and ${formatNumber(hidden)} more (--verbose lists them)`];
}
