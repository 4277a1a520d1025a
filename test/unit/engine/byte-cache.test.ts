import { expect, it } from "vitest";
import { ByteCache } from "../../../src/engine/byte-cache.js";

it("a cache keeps what was used last, within its bytes", () => {
  const cache = new ByteCache<string>(100);
  cache.set("a", "first", 38);
  cache.set("b", "second", 38);
  expect(cache.get("a")).toBe("first");
  cache.set("c", "third", 38);
  // b was not asked for since; keys count 2 bytes a character.
  expect([cache.get("a"), cache.get("b"), cache.get("c")]).toEqual(["first", undefined, "third"]);
  cache.set("a", "again", 58);
  expect([cache.get("a"), cache.get("c")]).toEqual(["again", "third"]);
  cache.set("huge", "never kept", 99);
  expect([cache.get("huge"), cache.get("a"), cache.get("c")]).toEqual([undefined, "again", "third"]);
});
