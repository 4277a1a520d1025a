/** Places of tokens in a text, ready to be drawn. */

/**
 * What has a span, ascending by it, without the parts that an earlier one covers, and no half of a character; beyond the text
 * there is nothing.
 */
export function spansApart<T extends object>(
  tokens: ReadonlyArray<T & { readonly span: readonly [start: number, end: number] | null }>,
  text: string,
): Array<T & { readonly start: number; readonly end: number }> {
  const found = tokens.flatMap((token) =>
    token.span === null
      ? []
      : [{ ...token, start: wholeFrom(text, token.span[0]), end: wholeTo(text, token.span[1]) }],
  );
  found.sort((a, b) => a.start - b.start || a.end - b.end);
  let at = 0;
  return found.flatMap((token) => {
    const start = Math.max(token.start, at);
    if (start >= token.end) return [];
    at = token.end;
    return [{ ...token, start }];
  });
}

function wholeFrom(text: string, at: number): number {
  return cutsPair(text, at) ? at - 1 : Math.max(0, at);
}

function wholeTo(text: string, at: number): number {
  return cutsPair(text, at) ? at + 1 : Math.min(text.length, at);
}

/** Whether the place lies between the two halves of one character. */
function cutsPair(text: string, at: number): boolean {
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(Math.max(0, at - 1), at + 1));
}
