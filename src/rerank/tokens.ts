/** Tokens of a text without a tokenizer: an estimate for limits of services, which have tokenizers of their own. */

/** Latin letters, digits, spaces and punctuation: about 4 characters a token in all common tokenizers. */
const LETTERS_A_TOKEN = 4;
/** From here on (CJK radicals, kana, Han, Hangul, emoji) a character is about a token. */
const FIRST_IDEOGRAPH = 0x2e80;

function quarters(codePoint: number): number {
  return codePoint < FIRST_IDEOGRAPH ? 1 : LETTERS_A_TOKEN;
}

/** About as many tokens as `text` has, rounded up. */
export function estimateTokens(text: string): number {
  let sum = 0;
  for (const character of text) sum += quarters(character.codePointAt(0)!);
  return Math.ceil(sum / LETTERS_A_TOKEN);
}

/** The longest start of `text` of at most `tokens` estimated tokens; no character is cut in two. */
export function cutToTokens(text: string, tokens: number): string {
  // A character is one token at most.
  if (text.length <= tokens) return text;
  const limit = tokens * LETTERS_A_TOKEN;
  let sum = 0;
  let end = 0;
  for (const character of text) {
    sum += quarters(character.codePointAt(0)!);
    if (sum > limit) return text.slice(0, end);
    end += character.length;
  }
  return text;
}
