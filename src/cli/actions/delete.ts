/** `maxsim delete`: deletes documents by id or by filter, after showing or asking where that is wanted. */
import { createInterface } from "node:readline/promises";
import { text } from "node:stream/consumers";
import { MaxsimError } from "../../common/errors.js";
import type { Filter } from "../../documents/filter/types.js";
import type { CatalogView } from "../../engine/catalog-view.js";
import type { DeleteCommandOptions } from "../commands/delete.js";
import { commandLogger } from "../common-options.js";
import { type CommandContext, shownPath } from "../context.js";
import { warnOfUnknownFields } from "../filter-option.js";
import { openIndex, openView, unknownDocument } from "../open-index.js";
import { createColors } from "../render/color.js";
import { formatCount, formatNumber } from "../render/format.js";
import { renderJson, renderJsonList } from "../render/json.js";
import { singleLine } from "../render/plain-text.js";
import { writeOut } from "../write-out.js";

/** Ids that are named in a warning. */
const SHOWN_MISSING = 5;

/** What is to go, and ids that were named but are not there. */
interface Plan {
  readonly which: readonly string[] | { readonly filter: Filter };
  readonly documents: number;
  readonly ids: () => Iterable<string>;
  readonly missing: readonly string[];
}

export async function deleteDocuments(
  named: readonly string[],
  options: DeleteCommandOptions,
  context: CommandContext,
): Promise<void> {
  const ids = options.stdin === true ? idsOf(await text(context.stdin)) : [...new Set(named)];
  const view = openView(options.index);
  let plan: Plan;
  try {
    plan =
      options.filter === undefined ? planIds(view, ids) : planFilter(view, options.filter, options, context);
    if (options.dryRun === true) {
      await showPlan(plan, view, options, context);
      return;
    }
    if (plan.documents > 1 && options.filter !== undefined && options.yes !== true) {
      await confirm(plan.documents, view.documents, context);
    }
  } finally {
    view.close();
  }
  warnOfMissing(plan, options, context);
  const index = await openIndex(options.index, { logger: commandLogger(context, options) });
  try {
    const { deleted, generation } = await index.delete(plan.which);
    if (options.json === true) {
      const { missing } = plan;
      context.stdout.write(renderJson({ index: index.folder, generation, dryRun: false, deleted, missing }));
      return;
    }
    context.stdout.write(
      `deleted ${formatCount(deleted, "document")} from ${shownPath(index.folder)} (generation ${formatNumber(generation)})\n`,
    );
  } finally {
    await index.close();
  }
}

/** One id a line; lines may end as on Windows. */
function idsOf(lines: string): string[] {
  const ids = new Set(lines.split(/\r?\n/).filter((line) => line !== ""));
  if (ids.size > 0) return [...ids];
  throw new MaxsimError("INVALID_ARGUMENT", "stdin has no ids", {
    hint: "Write one id a line, for example with: maxsim list --ids --filter ...",
  });
}

function planIds(view: CatalogView, ids: readonly string[]): Plan {
  const present = view.present(ids);
  const missing = ids.filter((id) => !present.has(id));
  const [first] = missing;
  if (present.size === 0 && first !== undefined) {
    if (missing.length === 1) throw unknownDocument(view, first);
    throw new MaxsimError(
      "UNKNOWN_DOCUMENT",
      `the index ${view.folder} has none of the ${formatNumber(missing.length)} documents: ${namesOf(missing)}`,
      { hint: "See the ids with: maxsim list" },
    );
  }
  return { which: ids, documents: present.size, ids: () => ids.filter((id) => present.has(id)), missing };
}

function planFilter(
  view: CatalogView,
  filter: Filter,
  options: DeleteCommandOptions,
  context: CommandContext,
): Plan {
  warnOfUnknownFields(view.unknownFields(filter), commandLogger(context, options));
  const ids = function* () {
    for (const page of view.pages({ filter })) for (const { id } of page) yield id;
  };
  return { which: { filter }, documents: view.count(filter), ids, missing: [] };
}

async function showPlan(
  plan: Plan,
  view: CatalogView,
  options: DeleteCommandOptions,
  context: CommandContext,
): Promise<void> {
  const { folder, generation } = view;
  const { documents, missing } = plan;
  if (options.json === true) {
    const head = { index: folder, generation, dryRun: true, deleted: documents, missing };
    await writeOut(renderJsonList(head, "ids", plan.ids()), context);
    return;
  }
  warnOfMissing(plan, options, context);
  const colors = createColors(context.stdout, context.env);
  const lines = function* () {
    for (const id of plan.ids()) yield `${colors.red(`- ${singleLine(id)}`)}\n`;
    yield `dry run, nothing was deleted; ${formatCount(documents, "document")} of ${shownPath(folder)} would go\n`;
  };
  await writeOut(lines(), context);
}

function warnOfMissing({ missing }: Plan, options: DeleteCommandOptions, context: CommandContext): void {
  if (missing.length > 0) commandLogger(context, options).warn(`not in the index: ${namesOf(missing)}`);
}

function namesOf(ids: readonly string[]): string {
  const more = ids.length - SHOWN_MISSING;
  return ids.slice(0, SHOWN_MISSING).join(", ") + (more > 0 ? ` and ${formatNumber(more)} more` : "");
}

/** Asks where somebody sits who can answer. Errors: ABORTED when the answer is not yes. */
async function confirm(documents: number, all: number, context: CommandContext): Promise<void> {
  const { stdin, stderr, signal } = context;
  if (stdin.isTTY !== true || stderr.isTTY !== true) return;
  const terminal = createInterface({ input: stdin, output: stderr });
  const question = `delete ${formatNumber(documents)} of ${formatCount(all, "document")}? [y/N] `;
  try {
    const ended = new Promise<string>((resolve) => terminal.once("close", () => resolve("")));
    const answer = await Promise.race([terminal.question(question, { signal }), ended]);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    terminal.close();
  }
  throw new MaxsimError("ABORTED", "not confirmed: nothing was deleted", {
    hint: "Answer y, or give --yes.",
  });
}
