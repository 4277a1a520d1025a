/** Programs: what is done to an index through two objects of it, as plain data that fast-check can shrink. */
import fc from "fast-check";

export const IDS = ["a", "b", "c", "d", "e", "f", "é日", "g h"];
/** Distinct vector lists; few, so that documents tie. */
export const VECTOR_LISTS = 7;
export const QUERIES = 4;

const handle = fc.integer({ min: 0, max: 1 });
const id = fc.constantFrom(...IDS);
const document = fc.record({
  id,
  vectors: fc.integer({ min: 0, max: VECTOR_LISTS - 1 }),
  year: fc.option(fc.integer({ min: 2000, max: 2003 }), { nil: undefined }),
  title: fc.option(fc.constantFrom("one", "two"), { nil: undefined }),
});
const documents = fc.array(document, { minLength: 1, maxLength: 4 });
const distinct = fc.uniqueArray(document, { minLength: 1, maxLength: 4, selector: (d) => d.id });
const ids = fc.array(fc.oneof(id, fc.constant("nobody")), { minLength: 0, maxLength: 3 });

/** @param {{ methods: Set<string>, duplicates: boolean }} can what this version of the package has */
export function program({ methods, duplicates }) {
  const op = (kind, fields) => fc.record({ kind: fc.constant(kind), handle, ...fields });
  const onDuplicate = duplicates
    ? fc.constantFrom(undefined, "replace", "skip", "error")
    : fc.constant(undefined);
  const operations = [
    { weight: 6, arbitrary: op("add", { documents: duplicates ? documents : distinct, onDuplicate }) },
    { weight: 3, arbitrary: op("delete", { ids }) },
    { weight: 4, arbitrary: op("search", { query: fc.nat(QUERIES - 1), k: fc.constantFrom(1, 2, 3, 50) }) },
    { weight: 1, arbitrary: op("prune", { query: fc.nat(QUERIES - 1), k: fc.constantFrom(1, 3, 50) }) },
    { weight: 2, arbitrary: op("get", { id }) },
    { weight: 2, arbitrary: op("refresh", {}) },
    { weight: 2, arbitrary: op("reopen", {}) },
    { weight: 1, arbitrary: op("abort", { documents: distinct, after: fc.nat(3) }) },
    { weight: 1, arbitrary: op("refuse", { documents: distinct }) },
    { weight: 1, arbitrary: op("race", { documents: distinct, ids }) },
    { weight: 1, arbitrary: op("list", {}) },
  ];
  if (methods.has("update")) {
    const change = fc.record({
      id: fc.oneof(id, fc.constant("nobody")),
      year: fc.integer({ min: 2000, max: 2003 }),
    });
    const changes = fc.uniqueArray(change, { minLength: 1, maxLength: 3, selector: (c) => c.id });
    operations.push({ weight: 2, arbitrary: op("update", { changes }) });
  }
  if (methods.has("compact"))
    operations.push({
      weight: 2,
      arbitrary: op("compact", { all: fc.boolean(), graceMs: fc.constantFrom(0, 60_000) }),
    });
  if (methods.has("verify")) operations.push({ weight: 1, arbitrary: op("verify", {}) });
  return fc.record({
    nbits: fc.constantFrom(1, 2, 4),
    vectors: fc.nat(1000),
    operations: fc.array(fc.oneof(...operations), { minLength: 1, maxLength: 14 }),
  });
}
