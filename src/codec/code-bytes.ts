/** Bytes of a code: 2 while every code fits 16 bits, else 4. */
export function codeBytes(centroids: number): 2 | 4 {
  return centroids <= 0x10000 ? 2 : 4;
}
