/** Seeded choices of rigs; the generator is that of the package. */
const { Random } = await import(new URL("../../../dist/common/random.js", import.meta.url));

export { Random };

/** The seed of a run: MAXSIM_FAULTS_SEED, or `fallback`. */
export function seedOf(fallback) {
  const given = process.env.MAXSIM_FAULTS_SEED;
  return given === undefined ? fallback : Number(given);
}

/** `count` of `items` without repetition, in their order. */
export function sampleOf(items, count, random) {
  return Array.from(random.sample(count, items.length), (i) => items[i]);
}
