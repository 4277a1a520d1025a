/** What a sync makes of two lists of files. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readerOf } from "../../../src/datasets/corpus-file.js";
import { type KnownFile, type PresentFile, planSync } from "../../../src/engine/sync-plan.js";

const known = (path: string, content: string, modified = 1): KnownFile => {
  return { path, rootNo: 0, size: content.length, modified, sha256: `sha of ${content}` };
};
const present = (path: string, content: string, modified = 1): PresentFile => {
  return { ...known(path, content, modified), reread: false };
};

function plan(before: readonly KnownFile[], now: readonly PresentFile[], existing: readonly string[] = []) {
  const result = planSync(before, now, { exists: (path) => existing.includes(path), readerOf });
  const paths = (files: ReadonlyArray<{ readonly path: string }>) => files.map(({ path }) => path);
  const pairs = (files: ReadonlyArray<{ known: KnownFile; file: PresentFile }>) =>
    files.map((pair) =>
      pair.known.path === pair.file.path ? pair.file.path : `${pair.known.path}>${pair.file.path}`,
    );
  const { added, changed, renamed, touched, unchanged, gone, kept } = result;
  const lists = {
    added: paths(added),
    changed: pairs(changed),
    renamed: pairs(renamed),
    touched: pairs(touched),
    unchanged: paths(unchanged),
    gone: paths(gone),
    kept: paths(kept),
  };
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0));
}

describe("a plan", () => {
  it("tells added, changed, touched, unchanged and gone files apart", () => {
    const before = [known("/a", "one"), known("/b", "two"), known("/c", "three"), known("/d", "four")];
    const now = [present("/a", "one"), present("/b", "2"), present("/c", "three", 9), present("/e", "five")];
    expect(plan(before, now)).toEqual({
      added: ["/e"],
      changed: ["/b"],
      touched: ["/c"],
      unchanged: ["/a"],
      gone: ["/d"],
    });
  });

  it("finds renames by content, also in another case or folder", () => {
    const before = [known("/README.md", "one"), known("/old/b.md", "two")];
    expect(plan(before, [present("/readme.md", "one"), present("/new/b.md", "two", 7)])).toEqual({
      renamed: ["/README.md>/readme.md", "/old/b.md>/new/b.md"],
    });
  });

  it("takes a copy as added, and an edited rename as removed and added", () => {
    expect(plan([known("/a", "one")], [present("/a", "one"), present("/b", "one")])).toEqual({
      added: ["/b"],
      unchanged: ["/a"],
    });
    expect(plan([known("/a", "one")], [present("/b", "one more")])).toEqual({ added: ["/b"], gone: ["/a"] });
  });

  it("takes swapped files as changed", () => {
    const now = [present("/a", "two"), present("/b", "one")];
    expect(plan([known("/a", "one"), known("/b", "two")], now)).toEqual({ changed: ["/a", "/b"] });
  });

  it("gives each gone file to one new file, equal base names first", () => {
    const before = [known("/x/a", "same"), known("/x/b", "same")];
    expect(plan(before, [present("/y/b", "same")])).toEqual({ renamed: ["/x/b>/y/b"], gone: ["/x/a"] });
    const now = [present("/y/1", "same"), present("/y/b", "same"), present("/y/c", "same")];
    expect(plan(before, now)).toEqual({ added: ["/y/c"], renamed: ["/x/a>/y/1", "/x/b>/y/b"] });
  });

  it("does not take a file for a renamed one that is read in another way, or is empty", () => {
    expect(plan([known("/a.md", "one")], [present("/a.html", "one")])).toEqual({
      added: ["/a.html"],
      gone: ["/a.md"],
    });
    expect(plan([known("/a.jsonl", "one")], [present("/a.ndjson", "one")])).toEqual({
      renamed: ["/a.jsonl>/a.ndjson"],
    });
    expect(plan([known("/a", "")], [present("/b", "")])).toEqual({ added: ["/b"], gone: ["/a"] });
  });

  it("keeps what exists and could not be read, and does not rename it", () => {
    expect(plan([known("/a", "one")], [present("/b", "one")], ["/a"])).toEqual({
      added: ["/b"],
      kept: ["/a"],
    });
  });

  it("compares files again that are to be reread, and renews the record of a file in another root", () => {
    expect(plan([known("/a", "one")], [{ ...present("/a", "one"), reread: true }])).toEqual({
      changed: ["/a"],
    });
    expect(plan([known("/a", "one")], [{ ...present("/a", "one"), rootNo: 3 }])).toEqual({ touched: ["/a"] });
  });

  it("accounts for every file once, whatever happened", () => {
    const tree = fc.dictionary(
      fc.constantFrom(..."abcdefgh".split("").map((name) => `/${name}`)),
      fc.record({ content: fc.constantFrom("", "1", "2", "3"), modified: fc.constantFrom(1, 2) }),
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(tree, tree, fc.subarray(["/a", "/b", "/c"]), (before, after, existing) => {
        const old = Object.entries(before).map(([path, { content, modified }]) =>
          known(path, content, modified),
        );
        const now = Object.entries(after).map(([path, { content, modified }]) =>
          present(path, content, modified),
        );
        const made = planSync(old, now, { exists: (path) => existing.includes(path), readerOf });
        const pairs = [...made.changed, ...made.renamed, ...made.touched];
        const files = [...made.added, ...pairs.map(({ file }) => file)].map(({ path }) => path);
        const ends = [...made.unchanged, ...made.gone, ...made.kept].map(({ path }) => path);
        expect([...files, ...made.unchanged.map(({ path }) => path)].sort()).toEqual(
          Object.keys(after).sort(),
        );
        expect([...ends, ...pairs.map((pair) => pair.known.path)].sort()).toEqual(Object.keys(before).sort());
        for (const pair of made.renamed) {
          expect(pair.known.sha256).toBe(pair.file.sha256);
          expect(after[pair.known.path]).toBeUndefined();
          expect(before[pair.file.path]).toBeUndefined();
        }
        for (const { path, sha256 } of made.gone) {
          const waiting = made.added.filter((file) => file.sha256 === sha256 && file.size > 0);
          expect([path, waiting]).toEqual([path, []]);
        }
      }),
    );
  });
});
