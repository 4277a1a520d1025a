/** Words of a text and the form in which two words count as the same. */

const SINGLE = String.raw`\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}`;
const WORD = new RegExp(String.raw`[${SINGLE}]\p{M}*|(?:(?![${SINGLE}])[\p{L}\p{N}\p{M}_])+`, "gu");

/** A word is a run of letters, marks and digits; scripts without spaces give one word a character. */
export function findWords(text: string): IterableIterator<RegExpExecArray> {
  return text.matchAll(WORD);
}

/** English words that tell little about what is searched for. */
export const stopWords: ReadonlySet<string> = new Set(
  (
    "a about after all also am an and any are as at be been before being between both but by can could did do does " +
    "doing down for from had has have he her here him his how i if in into is it its just may me might more most my " +
    "no nor not of off on once only or other our out over own s same she should so some such t than that the their " +
    "them then there these they this those to too under up us very was we were what when where which while who whom " +
    "why will with would you your"
  ).split(" "),
);

const DIACRITICS = /\p{M}/gu;
const LONG_WORD = 64;

/**
 * Case and diacritics removed, and the commonest English endings cut where at least three letters stay, as the plural
 * step of Porter's stemmer and a little more: "indexes", "indexed", "indexing" and "index" are one.
 */
export function stemWord(word: string): string {
  const folded = word.normalize("NFKD").replace(DIACRITICS, "").toLowerCase();
  if (folded.length < 4 || folded.length > LONG_WORD || !/^[a-z]+$/.test(folded)) return folded;
  const singular = folded
    .replace(/(?<=..)(?:ies|ied)$/, "y")
    .replace(/(?<=..(?:s|x|ch|sh|z))es$/, "")
    .replace(/(?<=..[^su])s$/, "");
  const stem = singular.replace(/(?<=...)(?:ed|ing|ly)$/, "");
  // "stopped" and "stop", "cancelled" and "cancel", "caching" and "cache".
  return stem.replace(/(?<=..)([bdgklmnprt])\1$/, "$1").replace(/(?<=...)e$/, "");
}
