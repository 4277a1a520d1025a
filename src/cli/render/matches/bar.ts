/** Bars of characters. */

/** A bar for a share of `columns`, by half columns: 0 and less is nothing, 1 and more all of them. In ASCII by whole ones. */
export function drawBar(share: number, columns: number, unicode: boolean): string {
  const length = Math.min(1, Math.max(0, share)) * columns;
  if (!unicode) return "#".repeat(Math.round(length));
  const halves = Math.round(length * 2);
  return "\u2501".repeat(Math.floor(halves / 2)) + (halves % 2 === 1 ? "\u2578" : "");
}
