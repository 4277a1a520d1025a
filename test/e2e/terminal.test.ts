/** What people see on a terminal: run inside of a pseudo terminal that `script` makes. */
import { spawnSync } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import {
  jsonLines,
  MAIN,
  maxsim,
  nameOrReason,
  type RunningCli,
  startMaxsim,
  writeFiles,
} from "../support/cli.js";
import { NOTES } from "../support/notes.js";
import { tempFolder } from "../support/temp-folder.js";

const cwd = tempFolder();
const probe = spawnSync("script", ["-qec", "stty cols 60 rows 20", "/dev/null"], { input: "" });
const reason =
  probe.error !== undefined || probe.status !== 0
    ? "no script command (of bsdutils) that runs a command in a pseudo terminal"
    : undefined;
const WIDTH = 60;

/** Starts a command line on a terminal of 60 columns; stderr is the same terminal unless it is sent away. */
function onTerminal(line: string, env: NodeJS.ProcessEnv = {}): RunningCli {
  const command = `stty cols ${WIDTH} rows 20 -echo; "${process.execPath}" "${MAIN}" ${line}`;
  return startMaxsim(["-qec", command, "/dev/null"], { cwd, command: ["script"], env });
}

/** What the terminal shows in the end: lines as drawn last, without colours. */
function screen(output: string): string[] {
  return output.split("\n").map((line) => {
    const drawn = line.split("\r\u001b[K").at(-1)!.split("\u001b[1G\u001b[0J").at(-1)!;
    return stripVTControlCharacters(drawn).replace(/\r$/, "");
  });
}

beforeAll(async () => {
  const folder = "a-folder-with-a-rather-long-name/and-another-one";
  writeFiles(cwd, {
    "notes.jsonl": jsonLines(NOTES),
    [`${folder}/bird-watching-in-winter.md`]: "# Watching birds\n\nA heron stands in the reeds.\n",
    "many.jsonl": jsonLines(
      Array.from({ length: 900 }, (_, i) => ({ id: `n${i}`, text: `${NOTES[i % NOTES.length]!.text} ${i}` })),
    ),
  });
  expect(await maxsim(["index", "notes.jsonl", "a-folder-with-a-rather-long-name"], { cwd })).toMatchObject({
    status: 0,
  });
});

describe.skipIf(reason)(nameOrReason("on a terminal of 60 columns", reason), () => {
  it("answers one question after the other until an empty line", async () => {
    const { child, result, seen } = onTerminal("search -k 1");
    await seen(/\? /);
    child.stdin!.write("why do mountains explode\n");
    await seen(/1 of 9 documents in/);
    child.stdin!.write("how do I repair a puncture\n");
    await seen(/1 of 9 documents in/, 2);
    child.stdin!.write("\n");
    const { status, stdout } = await result;
    expect(status).toBe(0);
    const lines = screen(stdout).join("\n");
    expect(lines).toContain("9 documents in index-data/default; an empty line or Ctrl-D ends");
    expect(lines).toMatch(/Eruptions.*Flat tyres/s);
    expect(lines).not.toContain("error");
  });

  it("ends the conversation at Ctrl-D", async () => {
    const { child, result, seen } = onTerminal("search");
    await seen(/\? /);
    child.stdin!.write("\u0004");
    expect(await result).toMatchObject({ status: 0 });
  });

  it("keeps within the columns, but for places, which stay whole", async () => {
    const { child, result } = onTerminal('search "what do birds eat" -k 9');
    child.stdin!.end();
    const { status, stdout } = await result;
    expect(status).toBe(0);
    expect(stdout).toContain("\u001b[");
    const place = "a-folder-with-a-rather-long-name/and-another-one/bird-watching-in-winter.md:1";
    const lines = screen(stdout);
    expect(lines.some((line) => line.endsWith(place))).toBe(true);
    // The title has a line of its own where there is no room beside the place.
    expect(lines.some((line) => line.trim() === "Watching birds")).toBe(true);
    for (const line of lines) if (!line.includes(place)) expect(line.length).toBeLessThanOrEqual(WIDTH);
  });

  it("fits the help", async () => {
    for (const name of ["", "index ", "search ", "list ", "delete ", "update ", "compact ", "history "]) {
      const line = `${name}--help`;
      const { child, result } = onTerminal(line);
      child.stdin!.end();
      const { stdout } = await result;
      expect(stdout).toContain("Examples:");
      for (const shown of screen(stdout)) expect(shown.length, shown).toBeLessThanOrEqual(WIDTH);
    }
  });

  it("asks before a filter deletes several documents", async () => {
    const line = "delete --filter 'exists topic'";
    for (const answer of ["n\n", "\n", "\u0004"]) {
      const { child, result, seen } = onTerminal(line);
      await seen(/delete 2 of 9 documents\? \[y\/N\] /);
      child.stdin!.write(answer);
      const { status, stdout } = await result;
      expect(status).toBe(1);
      expect(screen(stdout).join("\n")).toContain("error: not confirmed: nothing was deleted\n");
    }
    cpSync(join(cwd, "index-data/default"), join(cwd, "copy"), { recursive: true });
    const { child, result, seen } = onTerminal(`${line} --index copy`);
    await seen(/\[y\/N\] /);
    child.stdin!.write("y\n");
    const { status, stdout } = await result;
    expect(status).toBe(0);
    expect(screen(stdout).join("\n")).toContain("deleted 2 documents from copy (generation 2)\n");
  });

  it("respects NO_COLOR", async () => {
    const { child, result } = onTerminal("search tea -k 1", { NO_COLOR: "1" });
    child.stdin!.end();
    const { stdout } = await result;
    expect(stdout).toContain("Brewing tea");
    expect(stdout).not.toContain("\u001b[");
  });

  it("shows progress in one line that redraws itself and is gone at the end", async () => {
    const { child, result } = onTerminal("index many.jsonl --index many-index");
    child.stdin!.end();
    const { status, stdout } = await result;
    expect(status).toBe(0);
    const drawn = stdout.split("\r\u001b[K").slice(1);
    const encoding = drawn.filter((text) => /^(sample|encode) {2}\d+\/900 passages/.test(text));
    expect(encoding.length).toBeGreaterThan(1);
    expect(encoding.some((text) => / {2}[\d,]+(\.\d+)?\/s {2}.* left {2}\d+ MB/.test(text))).toBe(true);
    for (const text of drawn.slice(0, -1)) {
      expect(text).not.toContain("\n");
      expect(text.length).toBeLessThan(WIDTH);
    }
    const lines = screen(stdout);
    expect(lines[0]).toBe("index: many-index");
    expect(lines[1]).toMatch(/^indexed 900 documents in /);
  });

  it("shows an error in colour, and says how Ctrl-C goes on", async () => {
    const missing = onTerminal("info --index nowhere");
    missing.child.stdin!.end();
    const { status, stdout } = await missing.result;
    expect(status).toBe(1);
    expect(stdout).toContain("\u001b[31merror:\u001b[39m there is no index in ");
    const { child, result, seen } = onTerminal("index many.jsonl --index stopped --threads 1");
    await seen(/(sample|encode) {2}/);
    child.stdin!.write("\u0003");
    const stopped = await result;
    expect(stopped.status).toBe(130);
    expect(stopped.stdout).toContain("stopping; press Ctrl-C again to end at once");
    expect(screen(stopped.stdout).join("\n")).toMatch(/error: interrupted: .*\n/);
  });
});

describe("elsewhere", () => {
  it("a dumb terminal, a pipe and a file get plain lines", async () => {
    const { status, stderr, stdout } = await maxsim(["index", "notes.jsonl", "--index", "plain"], { cwd });
    expect(status).toBe(0);
    expect(stderr).toMatch(/^index: plain\nread {2}8 documents {2}\d+ MB\n/);
    for (const steering of ["\r", "\u001b"]) expect(stdout + stderr).not.toContain(steering);
    expect(stdout).toContain(`  index          plain (generation 1)`);
  });
});
