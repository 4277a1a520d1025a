/** Shows what splitting makes of source code, one line each, so that people can check it against the file. */
import { LineMap } from "../../src/text/lines.js";
import type { PassageSpan, TextBlock, TokenCounter } from "../../src/text/types.js";

/** Pieces of words of five characters, and marks: about what a model's tokenizer makes of code. */
export const countPieces: TokenCounter = (text) => text.match(/\w{1,5}|[^\s\w]/gu)?.length ?? 0;

/** `12-20 class Router > handle()`; a block that goes on with a definition has dots in front of its name. */
export function showBlocks(text: string, blocks: readonly TextBlock[]): string[] {
  const lines = new LineMap(text);
  return blocks.map(({ start, end, scope = [], opens }) => {
    const name = `${opens === true || scope.length === 0 ? "" : "… "}${scope.join(" > ")}`;
    return `${lines.lineAt(start)}-${lines.lineAt(end - 1)} ${name}`.trimEnd();
  });
}

/** `12-20 router.ts > class Router > handle()`. */
export function showPassages(spans: readonly PassageSpan[]): string[] {
  return spans.map(({ lineStart, lineEnd, context }) => `${lineStart}-${lineEnd} ${context}`);
}
