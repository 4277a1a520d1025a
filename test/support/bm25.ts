/**
 * BM25 by its formula (Robertson and Zaragoza 2009, k1 = 1.2, b = 0.75), with the inverse document frequency that SQLite's
 * documentation of FTS5 states: ln((N - n + 0.5) / (n + 0.5)), at least 1e-6.
 *
 * @param documents words of each document. @returns one score a document, 0 where it has none of the terms.
 */
export function bm25(documents: readonly (readonly string[])[], terms: readonly string[]): number[] {
  const [k1, b] = [1.2, 0.75];
  const average = documents.reduce((sum, { length }) => sum + length, 0) / documents.length;
  const frequency = (words: readonly string[], term: string): number =>
    words.filter((word) => word === term).length;
  return documents.map((words) =>
    terms.reduce((sum, term) => {
      const having = documents.filter((other) => other.includes(term)).length;
      const idf = Math.max(1e-6, Math.log((documents.length - having + 0.5) / (having + 0.5)));
      const f = frequency(words, term);
      return sum + (idf * f * (k1 + 1)) / (f + k1 * (1 - b + (b * words.length) / average));
    }, 0),
  );
}
