/** What the encoder gets of a passage: its context, a space and its own part of the document's text, trimmed. */
export function passageText(
  documentText: string,
  { context, start, end }: { readonly context: string; readonly start: number; readonly end: number },
): string {
  return `${context} ${documentText.slice(start, end)}`.trim();
}
