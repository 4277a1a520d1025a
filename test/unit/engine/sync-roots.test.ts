/** What a sync looks at, and what stands before the ids there. */
import { describe, expect, it } from "vitest";
import { type ReadingOptions, type RememberedRoot, syncScopes } from "../../../src/engine/sync-roots.js";

const root = (path: string, prefix: string, options: ReadingOptions = {}, rootNo = 0): RememberedRoot => {
  return { rootNo, path, prefix, options };
};

function scopes(paths: string[] | undefined, remembered: RememberedRoot[] = [], given: ReadingOptions = {}) {
  return syncScopes(paths, remembered, given).scopes.map((scope) => {
    const place = scope.path === scope.root.path ? "" : ` in ${scope.root.path}`;
    return `${scope.path}${place} as ${JSON.stringify(scope.root.prefix)}`;
  });
}

describe("scopes", () => {
  it("put no prefix before the ids of a single root, and names before those of several", () => {
    expect(scopes(["/notes"])).toEqual(['/notes as ""']);
    expect(scopes(["/b/docs", "/a/notes", "/b/docs"])).toEqual([
      '/a/notes as "notes/"',
      '/b/docs as "docs/"',
    ]);
    expect(scopes(["/more"], [root("/notes", "")])).toEqual(['/more as "more/"']);
  });

  it("keep the prefixes that are remembered", () => {
    const remembered = [root("/notes", "notes/"), root("/docs", "", {}, 1)];
    expect(scopes(["/notes"], remembered)).toEqual(['/notes as "notes/"']);
    expect(scopes(undefined, remembered)).toEqual(['/docs as ""', '/notes as "notes/"']);
  });

  it("are a part of a root, or reach into roots below", () => {
    const remembered = [root("/notes", ""), root("/home/docs", "docs/", {}, 1)];
    expect(scopes(["/notes/old", "/notes/old/x.md"], remembered)).toEqual(['/notes/old in /notes as ""']);
    expect(scopes(["/notes/old", "/notes"], remembered)).toEqual(['/notes as ""']);
    expect(scopes(["/home"], remembered)).toEqual(['/home as "home/"', '/home/docs as "docs/"']);
    expect(scopes(["/a/b", "/a"])).toEqual(['/a as ""']);
    expect(scopes(["/"])).toEqual(['/ as ""']);
  });

  it("refuse roots that would share ids", () => {
    const expected = { code: "INVALID_ARGUMENT", message: expect.stringContaining("have the same name") };
    expect(() => scopes(["/a/docs", "/b/docs"])).toThrowError(expect.objectContaining(expected));
    const remembered = [root("/a/docs", "docs/"), root("/x", "x/", {}, 1)];
    expect(() => scopes(["/b/docs"], remembered)).toThrowError(expect.objectContaining(expected));
    expect(scopes(["/a/r.jsonl", "/b/r.jsonl"])).toHaveLength(2);
    expect(scopes(["/b/docs"], [root("/a/docs", "")])).toEqual(['/b/docs as "docs/"']);
  });

  it("take options over the remembered ones, and tell what follows", () => {
    const remembered = [root("/a", "a/", { hidden: true }), root("/b", "b/", { textColumn: "body" }, 1)];
    const of = (paths: string[] | undefined, given: ReadingOptions) =>
      syncScopes(paths, remembered, given).scopes.map(({ root: { path, options, altered, reread } }) => {
        return { path, options, altered, reread };
      });
    expect(of(["/a"], { hidden: true })).toEqual([
      { path: "/a", options: { hidden: true }, altered: false, reread: false },
    ]);
    expect(of(undefined, { gitignore: false, textColumn: "body" })).toEqual([
      {
        path: "/a",
        options: { hidden: true, gitignore: false, textColumn: "body" },
        altered: true,
        reread: true,
      },
      { path: "/b", options: { gitignore: false, textColumn: "body" }, altered: true, reread: false },
    ]);
    expect(() => of(["/a/sub"], { hidden: false })).toThrowError(
      expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.stringContaining("/a") }),
    );
  });

  it("need a path or a memory", () => {
    for (const paths of [undefined, []]) {
      expect(() => scopes(paths)).toThrowError(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    }
  });
});
