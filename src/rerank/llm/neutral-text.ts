/**
 * The text of strangers made harmless for a prompt: one line of visible characters, without the marks by which chat templates tell
 * roles apart. What it says to a reader stays.
 *
 * The prompt gives each passage one line (prompts.ts), so a text without line ends cannot leave its passage.
 */

/** Blank characters and everything that ends a line, also U+0085, which `\s` leaves out. */
const BLANK = /[\s\u0085]+/gu;

/**
 * Characters that cannot be seen and can carry hidden text: control characters, tags (U+E0000), characters without width, marks of
 * direction, soft hyphens, variation selectors, private use, halves of surrogate pairs and what is not assigned.
 */
const HIDDEN =
  /[\p{Cc}\p{Co}\p{Cn}\p{Cs}\ufff9-\ufffb]|(?!\p{Join_Control})\p{Default_Ignorable_Code_Point}/gu;

/** Joiners shape letters and emoji; more than one in a row, or one at an edge, shapes nothing. */
const REPEATED_JOINERS = /(\p{Join_Control})\p{Join_Control}+/gu;
const IDLE_JOINERS = /(?<![\p{L}\p{M}\p{So}\p{Sk}])\p{Join_Control}|\p{Join_Control}(?![\p{L}\p{M}\p{So}])/gu;

/** `<|im_start|>` and its like, with the wide bar of some templates too. */
const BAR_MARKS = /<(?=[|\uff5c])|(?<=[|\uff5c])>/gu;
/** `[INST]`, `<<SYS>>`, `<start_of_turn>`, `</s>`, `<think>` and other words in brackets that templates use. */
const BRACKET_MARKS =
  /(?<=[[<])(?=\s?\/?\s?(?:inst|sys|s|bos|eos|pad|unk|start_of_turn|end_of_turn|begin_of_text|end_of_text|think|thinking|tool|tools|tool_call|tool_response|system|user|assistant|human|developer|available_tools|tool_calls|tool_results)\s?[\]>])/giu;
/** `Human:` and its like, which begin a turn in plain transcripts. */
const ROLE_LABELS =
  /\b(system|user|assistant|human|ai|developer|tool|instructions?|response)(?=\s?[:\uff1a])/giu;
/** `### Instruction`, a heading of a turn. */
const HEADINGS = /#{2,}/gu;

/** The text on one line, at most one blank between words, marks of roles broken up by a space. */
export function neutralText(text: string): string {
  return text
    .replace(BLANK, " ")
    .replace(HIDDEN, "")
    .replace(REPEATED_JOINERS, "$1")
    .replace(IDLE_JOINERS, "")
    .replace(BAR_MARKS, (mark) => (mark === "<" ? "< " : " >"))
    .replace(BRACKET_MARKS, " ")
    .replace(ROLE_LABELS, "$1 ")
    .replace(HEADINGS, "#")
    .replace(/ {2,}/g, " ")
    .trim();
}
