/** `maxsim judge`: asks which answers are relevant, and keeps what is said. */
import { MaxsimError } from "../../common/errors.js";
import { type Query, readQueries } from "../../datasets/queries.js";
import type { Index } from "../../engine/index.js";
import { fitsColumn, JudgementLog, judgementFiles, readJudgements } from "../../engine/judgements.js";
import type { Hit } from "../../engine/options.js";
import type { JudgeCommandOptions } from "../commands/judge.js";
import { commandLogger } from "../common-options.js";
import { type CommandContext, indexFolder, shownPath, terminalWidth } from "../context.js";
import { openIndex, openView, requireDocuments } from "../open-index.js";
import { createColors } from "../render/color.js";
import { formatCount } from "../render/format.js";
import { renderJson } from "../render/json.js";
import { type JudgeStyle, renderCandidate, renderJudgements, renderQuery } from "../render/judge.js";
import { hasWords } from "./eval-index.js";
import { type Answer, type Answers, KEYS, readAnswers } from "./judge-answers.js";
import { judgementPool, type PoolOptions } from "./judge-pool.js";

/** Columns where the output is no terminal. */
const DEFAULT_WIDTH = 100;

/** One document that is to be judged for a query. */
interface Item {
  readonly query: Query;
  readonly hit: Hit;
  /** Among those of the query, from 1. */
  readonly place: number;
  readonly waiting: number;
}

interface Counts {
  judged: number;
  skipped: number;
}

export async function judge(
  words: readonly string[],
  options: JudgeCommandOptions,
  context: CommandContext,
): Promise<void> {
  const logger = commandLogger(context, options);
  const { model, threads, json } = options;
  const index = await openIndex(options.index, {
    logger,
    warm: true,
    ...(model === undefined ? {} : { model }),
    ...(threads === undefined ? {} : { threads }),
  });
  try {
    requireDocuments(index);
    const log = await JudgementLog.open(index.folder);
    try {
      const queries = await queriesOf(words, options, log);
      const modes = options.modes ?? ((await hasWords(index)) ? ["late", "lexical"] : ["late"]);
      const round = new Round(index, log, { ...options, modes }, context);
      const counts = await round.run(queries);
      const files = judgementFiles(index.folder);
      if (json === true) {
        context.stdout.write(renderJson({ index: index.folder, ...counts, ...files }));
        return;
      }
      const skipped = counts.skipped === 0 ? "" : `, skipped ${formatCount(counts.skipped, "answer")}`;
      context.stdout.write(
        `judged ${formatCount(counts.judged, "answer")}${skipped}; ${shownPath(files.qrels)}\n`,
      );
      context.stderr.write(`measure with them: maxsim eval${placeOf(options)}\n`);
    } finally {
      log.close();
    }
  } finally {
    await index.close();
  }
}

/** `maxsim judge --list`. */
export async function listJudgements(options: JudgeCommandOptions, context: CommandContext): Promise<void> {
  openView(options.index).close();
  const folder = indexFolder(options.index);
  const judgements = (await readJudgements(folder)) ?? { queries: [], qrels: new Map() };
  if (options.json === true) {
    const queries = judgements.queries.map(({ id, text }) => {
      const grades = [...(judgements.qrels.get(id) ?? [])];
      return { id, text, judgements: grades.map(([document, grade]) => ({ document, grade })) };
    });
    context.stdout.write(renderJson({ index: folder, ...judgementFiles(folder), queries }));
    return;
  }
  const style = { colors: createColors(context.stdout, context.env), ...terminalWidth(context.stdout) };
  if (judgements.queries.length > 0) context.stdout.write(renderJudgements(judgements, style));
  else context.stdout.write("nothing was judged yet\n");
}

/** The queries of this call, with their ids. Errors: INVALID_ARGUMENT, INVALID_INPUT, PATH_NOT_FOUND. */
async function queriesOf(
  words: readonly string[],
  { queries: file }: JudgeCommandOptions,
  log: JudgementLog,
): Promise<Query[]> {
  if (words.length > 0) {
    const text = words.join(" ");
    return [{ id: log.identify(text), text }];
  }
  if (file === undefined) {
    const known = log.queries();
    if (known.length > 0) return known;
    throw new MaxsimError("INVALID_ARGUMENT", "a query is missing: nothing was judged before", {
      hint: 'For example: maxsim judge "your question", or --queries FILE',
    });
  }
  const queries = await readQueries(file);
  const empty = queries.find(({ text }) => text.trim() === "");
  const problem =
    queries.length === 0
      ? `${file} holds no queries`
      : empty === undefined
        ? undefined
        : `${file}: query ${JSON.stringify(empty.id)} is empty`;
  if (problem !== undefined) {
    throw new MaxsimError("INVALID_INPUT", problem, {
      hint: 'Each line is {"_id": "...", "text": "..."}, or an id, a tab and the text.',
    });
  }
  return queries.map(({ id, text }) => ({ id: log.identify(text, id), text }));
}

/** One round through the queries. */
class Round {
  private readonly counts: Counts = { judged: 0, skipped: 0 };
  /** What was answered, the last one at the end: undo goes back through it. */
  private readonly answered: Array<{ readonly item: Item; readonly kind: "grade" | "skip" }> = [];
  /** What is asked before anything else, the next one at the end. */
  private readonly returned: Item[] = [];
  private readonly style: JudgeStyle;
  private shown: Query | undefined;

  constructor(
    private readonly index: Index,
    private readonly log: JudgementLog,
    private readonly options: JudgeCommandOptions & Pick<PoolOptions, "modes">,
    private readonly context: CommandContext,
  ) {
    const { stderr, env } = context;
    this.style = { colors: createColors(stderr, env), width: stderr.columns ?? DEFAULT_WIDTH };
  }

  async run(queries: readonly Query[]): Promise<Counts> {
    const items = this.items(queries);
    const answers = readAnswers(this.context);
    try {
      for (;;) {
        const item = this.returned.pop() ?? (await items.next()).value;
        if (item === undefined && this.answered.length === 0) return this.counts;
        if (item !== undefined) this.show(item);
        const answer = await this.ask(answers, item);
        if (answer === undefined || answer.kind === "quit") return this.counts;
        if (answer.kind === "undo") {
          if (item !== undefined) this.returned.push(item);
          this.takeBack();
        } else if (item === undefined) return this.counts;
        else this.keep(item, answer);
      }
    } finally {
      await answers[Symbol.asyncDispose]();
    }
  }

  private async *items(queries: readonly Query[]): AsyncGenerator<Item, undefined> {
    const { modes, k } = this.options;
    const logger = commandLogger(this.context, this.options);
    for (const query of queries) {
      const { hits, notes } = await judgementPool(this.index, query.text, {
        modes,
        k,
        signal: this.context.signal,
      });
      for (const note of notes) logger.warn(note);
      const odd = hits.filter(({ id }) => !fitsColumn(id));
      for (const { id } of odd) {
        logger.warn(`the document ${JSON.stringify(id)} cannot be judged: its id does not fit into a line`);
      }
      const open = hits.filter(({ id }) => fitsColumn(id) && this.log.grade(query.id, id) === undefined);
      for (const [i, hit] of open.entries()) yield { query, hit, place: i + 1, waiting: open.length };
    }
    return undefined;
  }

  private show({ query, hit, place, waiting }: Item): void {
    const { stderr } = this.context;
    if (this.shown !== query) {
      const before = this.log.judged(query.id) - this.judgedNow(query);
      stderr.write(renderQuery(query, waiting, before, this.style));
    }
    this.shown = query;
    stderr.write(renderCandidate(hit, place, waiting, this.style));
  }

  private judgedNow(query: Query): number {
    return this.answered.filter(({ item, kind }) => kind === "grade" && item.query === query).length;
  }

  /** The prompt, and on a terminal what was answered. After the last item there is still something to undo. */
  private async ask(answers: Answers, item: Item | undefined): Promise<Answer | undefined> {
    const { stderr, stdin } = this.context;
    const keys = item?.place === 1 ? ` (${KEYS})` : "";
    const prompt =
      item === undefined ? "that was the last one (u undo, any other key ends)" : `relevant?${keys}`;
    stderr.write(`${this.style.colors.dim(prompt)} `);
    let said = "";
    try {
      const answer = await answers.next();
      if (answer !== undefined) said = answer.kind === "grade" ? String(answer.grade) : answer.kind;
      return answer;
    } finally {
      stderr.write(stdin.isTTY === true ? `${said}\n` : "\n");
    }
  }

  private keep(item: Item, answer: Answer): void {
    if (answer.kind === "grade") {
      this.log.judge(item.query, item.hit.id, answer.grade);
      this.counts.judged++;
      this.answered.push({ item, kind: "grade" });
    } else {
      this.counts.skipped++;
      this.answered.push({ item, kind: "skip" });
    }
  }

  /** Back to the answer before, whether it was a grade or not. */
  private takeBack(): void {
    const last = this.answered.pop();
    if (last === undefined) {
      this.context.stderr.write("there is nothing to undo\n");
      return;
    }
    if (last.kind === "grade") {
      this.log.undo();
      this.counts.judged--;
    } else this.counts.skipped--;
    this.returned.push(last.item);
  }
}

function placeOf({ index }: JudgeCommandOptions): string {
  return ` --index ${shownPath(indexFolder(index))}`;
}
