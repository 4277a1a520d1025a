/** Text of documents and queries made safe for HTML, in elements and in quoted attributes. */

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

// C0 and C1 controls but for tab and line break, DEL, and what is no character: HTML has no form for them.
const NO_HTML = /[^\P{Cc}\t\n]|[\ufdd0-\ufdef\ufffe\uffff]/gu;

export function escapeHtml(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(NO_HTML, "\ufffd")
    .replace(/\p{Cs}/gu, "\ufffd")
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

/** A URL that may be a link; others are shown as text. */
export function isWebUrl(url: string): boolean {
  return /^https?:\/\/[^\s]+$/i.test(url);
}
