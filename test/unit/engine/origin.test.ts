/** What an add leaves behind for later syncs. */
import { describe, expect, it } from "vitest";
import { originChange, type ReadFile } from "../../../src/engine/origin.js";

const file = (path: string, root: string, sha256 = "new"): ReadFile => ({
  path,
  root,
  size: 1,
  modified: 2,
  sha256,
});
const source = (sourceNo: number, rootNo: number, path: string) => {
  return { sourceNo, rootNo, path, size: 1, modified: 1, sha256: "old" };
};

describe("the change of an add", () => {
  const roots = [
    { rootNo: 1, path: "/n", prefix: "", options: { hidden: true } },
    { rootNo: 2, path: "/m", prefix: "m/", options: {} },
  ];

  it("adds roots and files that are new, and renews the files that were read", () => {
    const origin = {
      roots: [
        { path: "/n", prefix: "", options: { hidden: true } },
        { path: "/x", prefix: "x/", options: {} },
      ],
      files: [file("/x/1", "/x"), file("/n/1", "/n")],
    };
    const sources = [source(7, 1, "/n/1"), source(8, 1, "/n/2"), source(9, 2, "/m/1")];
    expect(originChange(origin, { roots, sources, nextRoot: 5 })).toEqual({
      roots: { add: [{ rootNo: 5, path: "/x", prefix: "x/", options: {} }], drop: [] },
      sources: {
        add: [
          { rootNo: 1, path: "/n/1", size: 1, modified: 2, sha256: "new" },
          { rootNo: 5, path: "/x/1", size: 1, modified: 2, sha256: "new" },
        ],
        drop: [7],
      },
    });
  });

  it("gives the files of a root with other options to its new row", () => {
    const origin = { roots: [{ path: "/n", prefix: "", options: {} }], files: [file("/n/1", "/n")] };
    const sources = [source(7, 1, "/n/1"), source(8, 1, "/n/2"), source(9, 2, "/m/1")];
    expect(originChange(origin, { roots, sources, nextRoot: 3 })).toEqual({
      roots: { add: [{ rootNo: 3, path: "/n", prefix: "", options: {} }], drop: [1] },
      sources: {
        add: [
          { rootNo: 3, path: "/n/1", size: 1, modified: 2, sha256: "new" },
          { rootNo: 3, path: "/n/2", size: 1, modified: 1, sha256: "old" },
        ],
        drop: [7, 8],
      },
    });
  });
});
