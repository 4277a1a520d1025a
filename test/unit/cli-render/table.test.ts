import { describe, expect, it } from "vitest";
import { renderTable } from "../../../src/cli/render/table.js";

describe("renderTable", () => {
  it("aligns columns and leaves no space at the end of a line", () => {
    const rows = [
      ["stage", "seen", "note"],
      ["gather", "12", ""],
      ["a", "1,234"],
    ];
    expect(renderTable(rows, { align: ["left", "right"] })).toBe(
      "stage    seen  note\n" + "gather     12\n" + "a       1,234\n",
    );
  });

  it("measures wide characters by their columns", () => {
    expect(
      renderTable([
        ["日本", "x"],
        ["a", "y"],
      ]),
    ).toBe("日本  x\na     y\n");
  });

  it("cuts the widest column to fit the terminal", () => {
    expect(renderTable([["id", "a".repeat(30), "end"]], { width: 20 })).toBe(`id  ${"a".repeat(10)}…  end\n`);
  });

  it("keeps narrow columns whole even when the table does not fit", () => {
    expect(renderTable([["abcdef", "ghijkl"]], { width: 5 })).toBe("abcdef  ghijkl\n");
  });

  it("cleans cells, and has nothing to say without rows", () => {
    expect(renderTable([["a\u001b[2Jb", "c\nd"]])).toBe("ab  c d\n");
    expect(renderTable([])).toBe("");
  });
});
