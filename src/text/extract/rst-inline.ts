/** Inline markup of reStructuredText: the text without it. Line breaks stay where they are. */

/** Spans are bounded, so that a stray mark costs no more than a look at the next characters. */
const RULES: ReadonlyArray<readonly [RegExp, string]> = [
  [/(?::[\w:+.-]{1,60}:)?`([^`<]{1,500}?)\s?<[^`<>]{0,1000}>`(?:__?)?/g, "$1"],
  [/(?::[\w:+.-]{1,60}:)`[~!]?([^`]{1,500})`/g, "$1"],
  [/`([^`]{1,500})`(?:__?|:[\w:+.-]{1,60}:)?/g, "$1"],
  [/(?<![\w*])\*\*(?=\S)([^*]{1,500}?)\*\*(?![\w*])/g, "$1"],
  [/(?<![\w*])\*(?=\S)([^*]{1,500}?)\*(?![\w*])/g, "$1"],
  [/(?<![\w|])\|(?=\S)([^|\n]{1,200}?)\|(?:__?)?(?![\w|])/g, "$1"],
  [/\[([\w#*.-]{1,60})\]_(?!\w)/g, "[$1]"],
  [/(?<=\w)__?(?=[\s.,;:!?)\]]|$)/g, ""],
  [/\\(\S)/g, "$1"],
];

export function cleanInline(text: string): string {
  if (!/[`*|_\\]/.test(text)) return text;
  const parts = text.split(/``([^`]{1,1000}(?:`[^`]{1,1000})*?)``/);
  return parts
    .map((part, i) =>
      i % 2 === 1 ? part : RULES.reduce((result, [rule, by]) => result.replace(rule, by), part),
    )
    .join("");
}
