/**
 * Passages of source code.
 *
 * A definition that fits the budget is one passage, with its name in the context, and is not taken apart. One that does
 * not fit gives a passage for each definition inside of it, and for what stands between these. Neighbours share a
 * passage when each of them takes a quarter of the budget at most, or none of them is a definition; its context is then
 * the definition around them. What is only a line or so goes with a neighbour: the head of a class with its first
 * member, anything else with what stands before it.
 *
 * What has no definitions and does not fit is cut between lines: where the indentation is least, then where a line is
 * blank, then as late as possible, but not before half of the room is filled, and not right after a comment.
 */
import { normalizeBlocks } from "../blocks.js";
import { type Context, type Contexts, type HeadingPath, MAX_CHARACTERS_PER_TOKEN } from "../context.js";
import type { TextBlock, TokenCounter } from "../types.js";
import { LINE, makeUnits, type Unit, WIDE_GAP } from "../units.js";

/** A passage: text offsets and its context. */
export interface CodePassage {
  readonly start: number;
  readonly end: number;
  readonly context: string;
}

/** A run of units: the lines of one block, or a definition. */
interface Item {
  /** Index of the first unit. */
  from: number;
  /** Index after the last unit. */
  to: number;
  readonly definition?: Scope;
}

interface Scope {
  readonly path: HeadingPath | undefined;
  readonly name: string;
  readonly items: Item[];
}

interface Group {
  from: number;
  to: number;
  context: Context;
  /** Each item takes a quarter of the budget at most. */
  short: boolean;
  /** No item is a definition. */
  plain: boolean;
  /** It is the head of the definition, and so little that it should not stand alone. */
  head: boolean;
}

const NO_CONTEXT: Context = { text: "", weight: 0 };

/** Whether passages of these blocks follow definitions. */
export function isCode(blocks: readonly TextBlock[] | undefined): blocks is readonly TextBlock[] {
  return blocks !== undefined && blocks.length > 0 && blocks.every(({ scope }) => scope !== undefined);
}

/**
 * @param limit tokens above which a line is taken apart; at least 1.
 * @param budget tokens of a passage with its context.
 */
export function packCode(
  text: string,
  given: readonly TextBlock[],
  limit: number,
  budget: number,
  contexts: Contexts,
  countTokens: TokenCounter,
): CodePassage[] {
  const blocks = normalizeBlocks(text, given);
  const units = joinClosing(text, makeUnits(text, blocks, limit, countTokens), limit);
  return new Packer(text, units, budget, contexts).pack(scopesOf(blocks, units));
}

const ONLY_BRACKETS = /^(?:[\s()[\]{}<>;,]|\*\/|end\b|fi\b|done\b|esac\b)+$/;

/** Lines that only close or open something go with the line before them. */
function joinClosing(text: string, units: readonly Unit[], limit: number): Unit[] {
  const joined: Unit[] = [];
  for (const unit of units) {
    const last = joined.at(-1);
    const joins =
      last !== undefined &&
      unit.boundary === LINE &&
      unit.end - unit.start <= 40 &&
      unit.start - last.end <= WIDE_GAP &&
      last.weight + unit.weight <= limit &&
      ONLY_BRACKETS.test(text.slice(unit.start, unit.end));
    if (joins) joined[joined.length - 1] = { ...last, end: unit.end, weight: last.weight + unit.weight };
    else joined.push(unit);
  }
  return joined;
}

/** The tree that the scopes of the blocks tell; returns its root. */
function scopesOf(blocks: readonly TextBlock[], units: readonly Unit[]): Scope {
  const root: Scope = { path: undefined, name: "", items: [] };
  const open: Array<{ scope: Scope; item: Item | undefined }> = [{ scope: root, item: undefined }];
  let unit = 0;
  for (const { end, scope = [], opens } of blocks) {
    const from = unit;
    while (unit < units.length && units[unit]!.start < end) unit++;
    if (unit === from) continue;
    let shared = 1;
    while (shared < open.length && shared <= scope.length && open[shared]!.scope.name === scope[shared - 1])
      shared++;
    if (opens === true) shared = Math.min(shared, scope.length);
    open.length = shared;
    for (let depth = shared; depth <= scope.length; depth++) {
      const parent = open.at(-1)!.scope;
      const name = scope[depth - 1]!;
      const definition: Scope = { path: { text: name, level: 1, parent: parent.path }, name, items: [] };
      const item: Item = { from, to: unit, definition };
      parent.items.push(item);
      open.push({ scope: definition, item });
    }
    for (const { item } of open) if (item !== undefined) item.to = unit;
    open.at(-1)!.scope.items.push({ from, to: unit });
  }
  return root;
}

class Packer {
  private readonly passages: CodePassage[] = [];
  /** Sums of the weights, and of the wide gaps, before each unit. */
  private readonly weights: Float64Array;
  private readonly gaps: Int32Array;
  private readonly shortLimit: number;
  /** What takes no more goes with a neighbour: the head of a definition, and anything else. */
  private readonly headLimit: number;
  private readonly tinyLimit: number;

  constructor(
    private readonly text: string,
    private readonly units: readonly Unit[],
    private readonly budget: number,
    private readonly contexts: Contexts,
  ) {
    this.shortLimit = budget >> 2;
    this.headLimit = budget >> 3;
    this.tinyLimit = budget >> 4;
    this.weights = new Float64Array(units.length + 1);
    this.gaps = new Int32Array(units.length + 1);
    units.forEach(({ start, weight }, i) => {
      this.weights[i + 1] = this.weights[i]! + weight;
      const wide = i > 0 && start - units[i - 1]!.end > WIDE_GAP;
      this.gaps[i + 1] = this.gaps[i]! + (wide ? 1 : 0);
    });
  }

  pack(root: Scope): CodePassage[] {
    this.packScope(root);
    return this.passages;
  }

  private packScope(scope: Scope): void {
    const own = this.contexts.under(scope.path);
    let group: Group | undefined;
    scope.items.forEach((item, i) => {
      const { definition } = item;
      const context = definition === undefined ? own : this.contexts.under(definition.path);
      if (this.fits(item.from, item.to, context)) {
        if (group !== undefined && this.join(group, item, own)) return;
        this.flush(group);
        group = {
          from: item.from,
          to: item.to,
          context,
          short: this.weigh(item.from, item.to) <= this.shortLimit,
          plain: definition === undefined,
          head: i === 0 && scope.path !== undefined && this.weigh(item.from, item.to) <= this.headLimit,
        };
        return;
      }
      if (group?.head === true && definition !== undefined) widen(definition, group.from);
      else this.flush(group);
      group = undefined;
      if (definition === undefined) this.cut(item, own);
      else this.packScope(definition);
    });
    this.flush(group);
  }

  /** Takes the item into the group if it belongs there and there is room. */
  private join(group: Group, item: Item, own: Context): boolean {
    const weight = this.weigh(item.from, item.to);
    const plain = item.definition === undefined;
    const trails = plain && weight <= this.tinyLimit && !group.plain;
    const context = trails ? group.context : own;
    const belongs =
      trails || group.head || (group.plain && plain) || (group.short && weight <= this.shortLimit);
    if (!belongs || !this.fits(group.from, item.to, context)) return false;
    group.to = item.to;
    group.context = context;
    group.short &&= weight <= this.shortLimit;
    group.plain &&= plain;
    group.head = false;
    return true;
  }

  private flush(group: Group | undefined): void {
    if (group !== undefined) this.add(group.from, group.to, group.context);
  }

  private add(from: number, to: number, context: Context): void {
    const { start } = this.units[from]!;
    this.passages.push({ start, end: this.units[to - 1]!.end, context: context.text });
  }

  private weigh(from: number, to: number): number {
    return this.weights[to]! - this.weights[from]!;
  }

  private fits(from: number, to: number, context: Context): boolean {
    return (
      this.weigh(from, to) + context.weight <= this.budget &&
      this.gaps[to] === this.gaps[from + 1] &&
      this.units[to - 1]!.end - this.units[from]!.start <= this.budget * MAX_CHARACTERS_PER_TOKEN
    );
  }

  /** Passages of lines that belong to one definition, or to none. */
  private cut(item: Item, own: Context): void {
    for (let from = item.from; from < item.to; ) {
      // A character that cannot be cut may take nearly all of the budget by itself.
      const context = this.fits(from, from + 1, own) ? own : NO_CONTEXT;
      let reach = from + 1;
      while (reach < item.to && this.fits(from, reach + 1, context)) reach++;
      const to = reach === item.to ? reach : this.bestCut(from, reach, item.to, this.budget - context.weight);
      this.add(from, to, context);
      from = to;
    }
  }

  private bestCut(from: number, reach: number, end: number, room: number): number {
    let best = reach;
    let least = Number.POSITIVE_INFINITY;
    for (let cut = reach; cut > from && this.weigh(from, cut) * 2 >= room; cut--) {
      // A few lines alone at the end say little.
      const cost = this.costOf(cut) + (this.weigh(cut, end) * 4 < room ? LITTLE_REST : 0);
      if (cost < least) {
        least = cost;
        best = cut;
      }
    }
    return best;
  }

  /** How bad a cut before the unit is. */
  private costOf(cut: number): number {
    const { text } = this;
    const { start, boundary } = this.units[cut]!;
    const before = this.units[cut - 1]!;
    if (boundary > LINE) return INSIDE_LINE + boundary;
    const isBlank =
      text.slice(before.end, start).indexOf("\n") < text.slice(before.end, start).lastIndexOf("\n");
    const line = text.slice(start, start + 20);
    const lineBefore = text.slice(before.start, before.start + 4);
    const goesOn = GOES_ON.test(line) ? GOING_ON : 0;
    const parted = LEADS.test(lineBefore) && !isBlank ? GOING_ON : 0;
    return 2 * indentOf(text, start) + (isBlank ? 0 : 1) + goesOn + parted;
  }
}

const INSIDE_LINE = 10_000;
const GOING_ON = 1_000;
const LITTLE_REST = 500;

/** Lines that belong to the one before. */
const GOES_ON =
  /^(?:[)\]}.?:&|+]|(?:else|elif|elsif|except|catch|finally|rescue|ensure|then|do|end|fi|done|esac)\b)/;

/** Lines that belong to the one after: comments and attributes. */
const LEADS = /^(?:\/\/|\/\*|\*(?!\/)|#|--|@)/;

/** Width of the indentation before `offset`, a tab as wide as eight spaces. */
function indentOf(text: string, offset: number): number {
  let width = 0;
  for (let at = offset - 1; at >= 0 && offset - at <= WIDE_GAP; at--) {
    const unit = text.charCodeAt(at);
    if (unit === 0x0a) break;
    width += unit === 0x09 ? 8 : 1;
  }
  return width;
}

/** Lets a definition begin earlier, with what stands before it. */
function widen(definition: Scope, from: number): void {
  for (let scope: Scope | undefined = definition; scope !== undefined; scope = scope.items[0]!.definition) {
    scope.items[0]!.from = from;
  }
}
