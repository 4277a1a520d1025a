/**
 * What tells passages apart in a prompt: a delimiter that no text of the prompt has in it, and ids that say nothing about positions.
 *
 * Both come from a hash of the prompt's texts: they look random and differ from prompt to prompt, yet the same request always makes
 * the same prompt.
 */
import { createHash } from "node:crypto";

export interface Marks {
  readonly delimiter: string;
  /** One a passage, all different. */
  readonly ids: readonly string[];
}

/** 32 characters that are not mistaken for one another. */
const ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789";
const DELIMITER_LENGTH = 12;
const ID_LENGTH = 4;
/** Words that were in the texts, in a row, before the next ones are longer. */
const PATIENCE = 64;

/**
 * Marks for `count` passages, none of them, in upper or lower case, a part of a text or of another mark. `texts` are all that goes
 * into the prompt and is not ours; `purpose` keeps prompts of different kinds apart.
 */
export function marksFor(purpose: string, texts: readonly string[], count: number): Marks {
  const next = bytesOf(purpose, texts);
  let taken = texts.join("\n").toLowerCase();
  const mark = (shortest: number): string => {
    for (let misses = 0; ; misses++) {
      const length = shortest + Math.floor(misses / PATIENCE);
      const word = Array.from({ length }, () => ALPHABET[next() & 31]!).join("");
      // A digit and a letter: no word of a language, no number.
      if (!/\d/.test(word) || !/[a-z]/.test(word) || taken.includes(word)) continue;
      taken += `\n${word}`;
      return word;
    }
  };
  const delimiter = mark(DELIMITER_LENGTH);
  return { delimiter, ids: Array.from({ length: count }, () => mark(ID_LENGTH)) };
}

/** An endless sequence of bytes that the arguments determine: SHA-256 in counter mode. */
function bytesOf(purpose: string, texts: readonly string[]): () => number {
  const hash = createHash("sha256");
  for (const part of [purpose, ...texts]) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  const key = hash.digest();
  let block = Buffer.alloc(0);
  let at = 0;
  let counter = 0;
  return () => {
    if (at === block.length) {
      block = createHash("sha256").update(key).update(`${counter++}`).digest();
      at = 0;
    }
    return block[at++]!;
  };
}
