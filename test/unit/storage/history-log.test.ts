import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import {
  appendHistory,
  HISTORY_NAME,
  readHistory,
  settledGeneration,
} from "../../../src/storage/history-log.js";
import { temporaryFolders } from "../../support/temp-folder.js";

const newFolder = temporaryFolders();
let path = "";
const folder = (): string => path;

beforeEach(async () => {
  path = await newFolder();
});

describe("history log", () => {
  it("gives back what was appended", () => {
    appendHistory(folder(), { generation: 1, time: 1000 });
    appendHistory(folder(), { generation: 2, time: 2500 });
    expect([...readHistory(folder(), "all")]).toEqual([
      [1, 1000],
      [2, 2500],
    ]);
  });

  it("leaves out lines that are cut or not its own", () => {
    appendHistory(folder(), { generation: 1, time: 1000 });
    appendFileSync(join(folder(), HISTORY_NAME), 'something\n{"generation":2,"time":"1970-01-01T00');
    expect([...readHistory(folder(), "all").keys()]).toEqual([1]);
    expect(readHistory(join(folder(), "nowhere"), "tail").size).toBe(0);
  });

  it("names the newest generation that is older than the grace time", () => {
    for (const generation of [1, 2, 4]) appendHistory(folder(), { generation, time: generation * 1000 });
    expect(settledGeneration(folder(), 4, 1500, 4000)).toBe(2);
    expect(settledGeneration(folder(), 4, 0, 4000)).toBe(4);
    expect(settledGeneration(folder(), 4, 10_000, 4000)).toBe(0);
    expect(settledGeneration(folder(), 1, 1500, 9000)).toBe(1);
  });
});
