/**
 * Which document of a file that changed is which of those that the index has of it. Records without an id are called by
 * their line, so one line more at the top renames all of them: what they say decides, then what they are called.
 */
import { createHash } from "node:crypto";

export interface RecordKey {
  readonly id: string;
  /** Equal for equal text and title. */
  readonly content: string;
}

/** A short stand-in for the text and title of a document. */
export function contentKey(text: string, title: string | null): string {
  const hash = createHash("sha256").update(title === null ? "0" : `1${title.length} ${title}`);
  return hash.update(text).digest("base64").slice(0, 24);
}

/**
 * For each record the number of a document, or undefined for a new one. In this order: same id and same content; same
 * content, the first record with the first such document; same id.
 * @param before by ascending number; ids are unique, and in `now` as well.
 */
export function matchRecords(
  before: ReadonlyArray<RecordKey & { readonly documentNo: number }>,
  now: readonly RecordKey[],
): Array<number | undefined> {
  const byId = new Map(before.map((document) => [document.id, document]));
  const matched: Array<number | undefined> = now.map(({ id, content }) => {
    const same = byId.get(id);
    return same?.content === content ? same.documentNo : undefined;
  });
  const taken = new Set(matched);
  const byContent = new Map<string, number[]>();
  // From the last to the first, so that the first one is popped first.
  for (const { documentNo, content } of before.toReversed()) {
    if (taken.has(documentNo)) continue;
    const others = byContent.get(content);
    if (others === undefined) byContent.set(content, [documentNo]);
    else others.push(documentNo);
  }
  now.forEach(({ content }, i) => {
    matched[i] ??= byContent.get(content)?.pop();
  });
  const found = new Set(matched);
  now.forEach(({ id }, i) => {
    const same = byId.get(id)?.documentNo;
    if (same !== undefined && !found.has(same)) matched[i] ??= same;
  });
  return matched;
}
