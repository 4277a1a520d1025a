import { describe, expect, it } from "vitest";
import { Workspace } from "../../../src/search/workspace.js";

describe("the workspace", () => {
  it("hands out tables again that were given back, never twice at a time", () => {
    const workspace = new Workspace();
    const first = workspace.takeTables(64);
    const second = workspace.takeTables(64);
    expect(second.scores.buffer).not.toBe(first.scores.buffer);
    workspace.giveTables(first);
    const third = workspace.takeTables(32);
    expect(third.scores.buffer).toBe(first.scores.buffer);
    expect(third.scores).toHaveLength(32);
    expect(third.bytes).toHaveLength(32);
    third.scores.fill(1);
    expect(third.bytes.every((value) => value === 0)).toBe(true);
  });

  it("makes larger tables when the kept ones are too small", () => {
    const workspace = new Workspace();
    workspace.giveTables(workspace.takeTables(16));
    expect(workspace.takeTables(1600).scores).toHaveLength(1600);
  });

  it("keeps the scratch only once it was given back, and grows it", () => {
    const workspace = new Workspace();
    const scratch = workspace.takeScratch(10);
    expect(scratch.marks).toHaveLength(10);
    expect(workspace.takeScratch(10)).not.toBe(scratch);
    workspace.giveScratch(scratch);
    expect(workspace.takeScratch(7)).toBe(scratch);
    workspace.giveScratch(scratch);
    expect(workspace.takeScratch(11).sums).toHaveLength(11);
  });
});
