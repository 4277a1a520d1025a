// Searches with their times; the encoder is no part of them, and neither is fetching the documents of the hits.

/**
 * @param {import("../../../dist/engine/index.js").Index} index
 * @param {Float32Array} vectors
 * @param {import("../../../dist/engine/options.js").SearchOptions} options
 */
export async function timedSearch(index, vectors, options) {
  const cpu = process.cpuUsage();
  const started = performance.now();
  const { hits, explanation } = await index.searchEmbeddings(vectors, { ...options, explain: true });
  const whole = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  const hydrate = explanation.stages.find(({ stage }) => stage === "hydrate")?.milliseconds ?? 0;
  return {
    ids: hits.map(({ id }) => Number(id)),
    milliseconds: whole - hydrate,
    // Fetching documents runs on one thread and waits for nothing.
    processor: Math.max(0, (user + system) / 1000 - hydrate),
    hydrate,
    stages: explanation.stages,
    plan: explanation.plan,
  };
}

/** A contestant for `takeTurns` that searches an index. */
export function searchContestant(name, index, queries, options) {
  return { name, call: (q) => timedSearch(index, queries[q], options) };
}

/** Best passages of every query. */
export async function rankings(index, queries, options) {
  const found = [];
  for (const vectors of queries) found.push((await timedSearch(index, vectors, options)).ids);
  return found;
}
