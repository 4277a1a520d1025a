/** README and docs hold: examples run and print what they say, command lines are accepted, links lead somewhere. */
import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { tempFolder } from "./support/temp-folder.js";

const root = fileURLToPath(new URL("../", import.meta.url));
const pages = [
  "README.md",
  "ARCHITECTURE.md",
  "CHANGELOG.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
const node = promisify(execFile);

interface Block {
  readonly page: string;
  /** 1-based line of the opening fence. */
  readonly line: number;
  /** What stands after the opening fence, such as "js run". */
  readonly info: string;
  readonly text: string;
}

function blocksOf(page: string): Block[] {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/^```([^\n]*)\n(.*?)^```$/gms)].map((match) => ({
    page,
    line: text.slice(0, match.index).split("\n").length,
    info: match[1]!.trim(),
    text: match[2]!,
  }));
}

/** The words of a command line; quotes group, `#` begins a comment. */
function wordsOf(line: string): string[] {
  return [...line.replace(/(^|\s)#.*$/, "").matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? "",
  );
}

const blocks = pages.flatMap(blocksOf);
const commands = blocks
  .filter(({ info }) => info === "sh")
  .flatMap(({ page, line, text }) =>
    text
      .split("\n")
      .map((command, i) => ({ place: `${page}:${line + 1 + i}`, words: wordsOf(command) }))
      .filter(({ words }) => words.length > 0),
  );

describe("examples", () => {
  // A file below the checkout finds the package by its own name, through `exports`, as an installed one is found.
  mkdirSync(join(root, ".cache"), { recursive: true });
  const scripts = mkdtempSync(join(root, ".cache", "examples-"));
  afterAll(() => rmSync(scripts, { recursive: true, force: true }));

  const runnable = blocks.flatMap((block, i) =>
    block.info === "js run" ? [{ ...block, output: blocks[i + 1] }] : [],
  );
  const folders = new Map(pages.map((page) => [page, tempFolder()]));

  it("are there", () => {
    expect(runnable.length).toBeGreaterThan(4);
    expect(blocks.filter(({ info }) => /^(?:ts|typescript|js|javascript)$/.test(info))).toEqual([]);
  });

  // The examples of a page build on each other: one working folder, in their order.
  it.each(runnable)("$page:$line runs and prints what follows it", async ({ page, line, text, output }) => {
    const script = join(scripts, `${page.replaceAll("/", "-")}-${line}.mjs`);
    writeFileSync(script, text);
    const { stdout } = await node(process.execPath, [script], { cwd: folders.get(page)! });
    expect(output?.info).toBe("text output");
    expect(stdout).toBe(output?.text);
  });
});

describe("command lines", () => {
  const maxsim = commands.filter(({ words }) => words[0] === "maxsim");
  const help = new Map<string, Promise<string>>();
  /** Help of a command; fails for an unknown one. */
  const helpOf = (command: string): Promise<string> => {
    const known = help.get(command);
    if (known !== undefined) return known;
    const asked = node(process.execPath, [join(root, "dist/cli/main.js"), "help", command], {
      cwd: root,
    }).then(({ stdout }) => stdout);
    help.set(command, asked);
    return asked;
  };

  it("are there", () => expect(maxsim.length).toBeGreaterThan(5));

  it.each(maxsim)("$place is accepted", async ({ words }) => {
    const [, command = "", ...rest] = words;
    const text = await helpOf(command);
    expect(text).toContain(`Usage: maxsim ${command} `);
    for (const word of rest.filter((candidate) => candidate.startsWith("-"))) {
      expect(text.match(/^ +(-[^ ]+(?:, -[^ ]+)*)/gm)?.join(" ")).toMatch(
        new RegExp(`(?:^|[ ,])${word}(?:[ ,]|$)`),
      );
    }
  });

  it.each(commands.filter(({ words }) => words[0] === "npm" && words[1] === "run"))(
    "$place names a script of the package",
    ({ words }) => {
      const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
      expect(Object.keys(scripts)).toContain(words[2]);
    },
  );

  it.each(commands.filter(({ words }) => words[0] === "node" && words[1]?.endsWith(".mjs")))(
    "$place names a file that exists",
    ({ words }) => expect(existsSync(join(root, words[1]!))).toBe(true),
  );
});

describe("links", () => {
  /** As the usual renderers make them of headings. */
  const anchorsOf = (path: string): string[] =>
    [...readFileSync(path, "utf8").matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    );

  it.each(pages)("of %s lead somewhere", (page) => {
    const text = readFileSync(join(root, page), "utf8").replace(/^```.*?^```$/gms, "");
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target!)) continue;
      const [path = "", anchor] = target!.split("#");
      const file = path === "" ? join(root, page) : join(root, dirname(page), path);
      expect(existsSync(file), `${target} in ${page}`).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(file), `${target} in ${page}`).toContain(anchor);
    }
  });
});
