/** Tokens of a text by estimate, for language models whose tokenizer is not at hand. */

/** Quarter tokens of one code point: what vocabularies of about 100,000 pieces need for running text, rounded up. */
function quarters(codePoint: number): number {
  if (codePoint < 0x80) return isLetterOrSpace(codePoint) ? 1 : 2;
  if (codePoint < 0x2e80) return 2;
  return codePoint < 0x10000 ? 4 : 6;
}

function isLetterOrSpace(codePoint: number): boolean {
  const lower = codePoint | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || codePoint === 0x20;
}

/** An estimate: four English letters a token, two digits or signs, one Chinese or Japanese character. */
export function estimateTokens(text: string): number {
  let sum = 0;
  for (const character of text) sum += quarters(character.codePointAt(0)!);
  return Math.ceil(sum / 4);
}

/** The longest beginning of about `maxTokens` tokens, up to the end of a word where one is near. */
export function cutToTokens(text: string, maxTokens: number): string {
  let sum = 0;
  let end = 0;
  for (const character of text) {
    sum += quarters(character.codePointAt(0)!);
    if (sum > maxTokens * 4) return text.slice(0, wordEnd(text, end)).trimEnd();
    end += character.length;
  }
  return text;
}

/** The last space of the 24 characters before `end`, or `end` without one and where a word ends there. */
function wordEnd(text: string, end: number): number {
  if (text[end] === " ") return end;
  const space = text.lastIndexOf(" ", end);
  return space > 0 && end - space <= 24 ? space : end;
}
