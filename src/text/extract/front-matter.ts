/** Front matter: the lines between `---` at the top of a Markdown file, in the simple part of YAML that is in use. */
import type { JsonValue } from "../../common/json.js";

export interface FrontMatter {
  readonly metadata: Readonly<Record<string, JsonValue>>;
  /** Offset of the first line after it. */
  readonly end: number;
}

/** Front matter is not longer than this, in characters. */
const MAX_LENGTH = 65_536;

/** Longer lines count as empty, which bounds the time that the patterns below take. */
const MAX_LINE = 2000;

/**
 * Flat keys with scalars, `[a, b]` lists, lists of `- item` lines, and `|` and `>` texts. Keys with anything else
 * (nested maps, anchors) are left out. Undefined when the text does not begin with front matter that is closed.
 */
export function parseFrontMatter(text: string): FrontMatter | undefined {
  const opening = /^---[ \t]*\n/.exec(text);
  if (opening === null) return undefined;
  const closing = /^(?:---|\.\.\.)[ \t]*(?:\n|$)/m;
  const body = text.slice(opening[0].length, opening[0].length + MAX_LENGTH);
  const close = closing.exec(body);
  if (close === null) return undefined;
  const lines = body
    .slice(0, close.index)
    .split("\n")
    .map((line) => (line.length > MAX_LINE ? "" : line));
  return { metadata: parseKeys(lines), end: opening[0].length + close.index + close[0].length };
}

function parseKeys(lines: readonly string[]): Record<string, JsonValue> {
  const metadata: Record<string, JsonValue> = Object.create(null);
  for (let i = 0; i < lines.length; ) {
    const key = /^(?:"([^"]+)"|'([^']+)'|([^\s#:"'[\]{}-][^:]*?))\s*:(?:\s+(.*))?$/.exec(lines[i++]!);
    if (key === null) continue;
    const name = (key[1] ?? key[2] ?? key[3])!;
    const inline = stripComment(key[4] ?? "");
    const nested: string[] = [];
    while (i < lines.length && /^(?:\s|-\s|-$|$)/.test(lines[i]!)) nested.push(lines[i++]!);
    const value = inline === "" ? parseItems(nested) : parseInline(inline, nested);
    if (value !== undefined) metadata[name] = value;
  }
  return metadata;
}

function parseInline(inline: string, nested: readonly string[]): JsonValue | undefined {
  if (/^[|>][+-]?\d*$/.test(inline)) {
    const text = nested.map((line) => line.trim()).join(inline.startsWith("|") ? "\n" : " ");
    return text.trim();
  }
  if (inline.startsWith("[") && inline.endsWith("]")) return splitList(inline.slice(1, -1)).map(parseScalar);
  if (/^[{&*!|>[]/.test(inline)) return undefined;
  // A plain scalar may go on in indented lines.
  const more = nested.map((line) => line.trim()).filter((line) => line !== "");
  return more.length === 0 ? parseScalar(inline) : [inline, ...more].join(" ");
}

function parseItems(nested: readonly string[]): JsonValue | undefined {
  const filled = nested.filter((line) => line.trim() !== "" && !line.trim().startsWith("#"));
  if (filled.length === 0) return undefined;
  const items = filled.map((line) => /^\s*-\s+(.*)$/.exec(line)?.[1]);
  if (items.some((item) => item === undefined || /^[{[&*!|>]|^[^"'\s]+:(?:\s|$)/.test(item)))
    return undefined;
  return items.map((item) => parseScalar(stripComment(item!)));
}

function stripComment(text: string): string {
  const trimmed = text.trim();
  if (/^["']/.test(trimmed)) return trimmed.replace(/^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s+#.*$/, "$1");
  return trimmed.replace(/(?:^|\s+)#.*$/, "").trim();
}

/** Items between commas that stand outside of quotes. */
function splitList(text: string): string[] {
  const items = text.match(/\s*(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^,"']+)[^,]*/g) ?? [];
  return items.map((item) => item.trim()).filter((item) => item !== "");
}

function parseScalar(text: string): JsonValue {
  if (/^".*"$/.test(text)) return unescapeQuoted(text.slice(1, -1));
  if (/^'.*'$/.test(text)) return text.slice(1, -1).replaceAll("''", "'");
  if (/^(?:true|True|TRUE)$/.test(text)) return true;
  if (/^(?:false|False|FALSE)$/.test(text)) return false;
  if (/^(?:null|Null|NULL|~)?$/.test(text)) return null;
  if (/^[+-]?(?:0|[1-9]\d{0,14})(?:\.\d+)?(?:[eE][+-]?\d{1,2})?$/.test(text)) return Number(text);
  return text;
}

function unescapeQuoted(text: string): string {
  const named: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };
  return text.replace(/\\(.)/gu, (_, character: string) => named[character] ?? character);
}
