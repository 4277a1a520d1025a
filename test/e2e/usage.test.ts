/** The command line as such: help, version, wrong usage, and the commands that need no index. */
import { describe, expect, it } from "vitest";
import { PACKAGE_VERSION } from "../../src/common/version.js";
import { maxsim as runMaxsim } from "../support/cli.js";
import { tempFolder } from "../support/temp-folder.js";

const cwd = tempFolder();
const maxsim = (...args: string[]) => runMaxsim(args, { cwd });

describe("help and version", () => {
  it("prints the version", async () => {
    expect(await maxsim("--version")).toMatchObject({
      status: 0,
      stdout: `${PACKAGE_VERSION}\n`,
      stderr: "",
    });
  });

  it("shows the help on stdout when asked, and on stderr when a command is missing", async () => {
    const asked = await maxsim("help");
    expect(asked).toMatchObject({ status: 0, stderr: "" });
    expect(asked.stdout).toMatch(/^Usage: maxsim .*Examples:\n {2}maxsim index/s);
    expect(asked.stdout).toContain("Exit status: 0 done, 1 failed, 2 wrong usage,\n130 interrupted.");
    const missing = await maxsim();
    expect(missing).toMatchObject({ status: 2, stdout: "", stderr: asked.stdout });
  });

  const COMMANDS =
    "index sync search list get update delete compact history info verify repair model backup restore doctor eval judge rerank lift distill".split(
      " ",
    );

  it.each(COMMANDS)("shows the help of %s with examples", async (name) => {
    const { status, stdout, stderr } = await maxsim(name, "--help");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^Usage: maxsim ${name} `));
    expect(stdout).toMatch(new RegExp(`\nExamples?:\n {2}maxsim ${name}`));
    expect(stdout).toContain("--json");
  });
});

describe("wrong usage ends with status 2", () => {
  it.each([
    [["nonsense"], "unknown command 'nonsense'", "The commands are index, "],
    [["help", "nonsense"], "unknown command 'nonsense'", "The commands are"],
    [["serach", "x"], "unknown command 'serach'", "Did you mean search?"],
    [["--bogus"], "unknown option '--bogus'", "See: maxsim --help"],
    [["index"], "missing required argument 'paths'", "See: maxsim index --help"],
    [["index", "."], '--nbits takes 1, 2 or 4, found "3"', undefined, ["--nbits", "3"]],
    [["search", "--efort", "x"], "unknown option '--efort'", "Did you mean --effort?"],
    [["search", "x", "--effort", "max"], '--effort takes fast, balanced or exact, found "max"', undefined],
    [["search", "x", "-k", "0"], '-k takes a whole number from 1 to 10000, found "0"', undefined],
    [["search", "x", "-k", "x"], '-k takes a whole number from 1 to 10000, found "x"', undefined],
    [["search", "x", "--mode", "bm25"], '--mode takes late, lexical or hybrid, found "bm25"', undefined],
    [["search", "x", "--alpha", "0.5"], "--alpha goes with --mode hybrid", "For example"],
    [["search", "x", "--fusion", "rrf", "--mode", "late"], "--fusion goes with --mode hybrid", "For example"],
    [["search", "x", "--alpha", "2"], '--alpha takes a number from 0 to 1, found "2"', undefined],
    [["search", "x", "--since", "soon"], '--since takes a date or a time span, found "soon"', "For example"],
    [["search", "x", "--path", "a["], "--path", undefined],
    [["search", "x", "--filter", "year >"], "--filter, column 7: expected a value", undefined],
    [
      ["search", "x", "--explain-hits", "-1"],
      "--explain-hits takes a whole number from 0 to 10000",
      undefined,
    ],
    [["search", "--html", "x.html"], "--html goes with one query", "For example"],
    [
      ["search", "--queries", "q", "--run", "r", "--explain-hits", "2"],
      "--explain goes with one query",
      "For example",
    ],
    [["search", "tea", "-milk"], "unknown option '-milk'", "A -word of a question stands in its quotes"],
    [["search"], "a query is missing", "For example: maxsim search"],
    [["search", ""], "the query is empty", "For example: maxsim search"],
    [
      ["search", "x", "--queries", "q", "--run", "r"],
      "give either a query or --queries, not both",
      "For example",
    ],
    [["search", "--queries", "q"], "--queries needs --run FILE", "For example"],
    [["search", "x", "--run", "r"], "--run goes with --queries FILE", "For example"],
    [
      ["index", ".", "--on-duplicate", "x"],
      '--on-duplicate takes replace, skip or error, found "x"',
      undefined,
    ],
    [["list", "--limit", "0"], '--limit takes a whole number from 1 to 1000000000, found "0"', undefined],
    [["list", "--filter", "year >"], "--filter, column 7: expected a value", undefined],
    [["get"], "missing required argument 'id'", "See: maxsim get --help"],
    [["get", "x", "--text", "--passages"], "give one of --text, --passages and --json", "--json has"],
    [["update", "x"], "nothing to change is named", "For example: maxsim update"],
    [["update", "x", "--merge", "--title", "t"], "--merge goes with --metadata JSON", "For example"],
    [["update", "x", "--metadata", "[1]"], "--metadata takes a JSON object, found an array", "For example"],
    [["delete"], "nothing to delete is named", "For example: maxsim delete"],
    [["delete", "x", "--filter", "a = 1"], "give one of ids, --filter and --stdin", "For example"],
    [["delete", "--filter", '{"a":'], "--filter is not JSON: ", "Put it in single quotes"],
    [["compact", "--grace", "1h"], "--grace takes a whole number from 0 to 2592000", undefined],
    [["compact", "--all", "--recluster"], "give either --all or --recluster", "--recluster writes"],
    [["backup"], "missing required argument 'target'", "See: maxsim backup --help"],
    [["restore"], "missing required argument 'backup'", "See: maxsim restore --help"],
    [["info", "a"], "too many arguments for 'info'", "See: maxsim info --help"],
    [["model", "a", "b"], "too many arguments for 'model'", "See: maxsim model --help"],
    [["doctor", "--model"], "option '--model <name>' argument missing", "See: maxsim doctor --help"],
  ] as Array<[string[], string, string | undefined, string[]?]>)(
    "%j",
    async (args, message, hint, more = []) => {
      const { status, stdout, stderr } = await maxsim(...args, ...more);
      expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
      const [first, second] = stderr.split("\n");
      expect(first).toContain(`error: ${message}`);
      if (hint !== undefined) expect(second).toContain(`hint: ${hint}`);
    },
  );

  it("is told as JSON with --json", async () => {
    const { status, stdout, stderr } = await maxsim("search", "x", "--efort", "--json");
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(JSON.parse(stderr)).toEqual({
      error: {
        code: "INVALID_ARGUMENT",
        message: "unknown option '--efort'",
        hint: "Did you mean --effort?",
      },
    });
  });
});

describe("model", () => {
  it("shows the bundled model to people and programs", async () => {
    const human = await maxsim("model");
    expect(human).toMatchObject({ status: 0, stderr: "" });
    expect(human.stdout).toMatch(/^name +maxsim-small-en-v1$/m);
    expect(human.stdout).toMatch(/^dimensions +128$/m);
    const { status, stdout, stderr } = await maxsim("model", "--json");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({
      name: "maxsim-small-en-v1",
      dim: 128,
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it("says what it takes when there is no such model", async () => {
    const { status, stdout, stderr } = await maxsim("model", "nonsense");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^error: there is no model "nonsense".*\nhint: .*maxsim-small-en-v1/);
    const offline = await maxsim("model", "nobody/nothing");
    expect(offline.status).toBe(1);
    expect(offline.stderr).toContain("HF_HUB_OFFLINE");
  });
});

describe("doctor", () => {
  it("names kernels, SQLite and model", async () => {
    const human = await maxsim("doctor");
    expect(human).toMatchObject({ status: 0, stderr: "" });
    expect(human.stdout).toMatch(/^ok {6}kernels: (native|wasm|js)/m);
    expect(human.stdout).toMatch(/^ok {6}catalog: SQLite \d/m);
    expect(human.stdout).toMatch(/^ok {6}model: maxsim-small-en-v1/m);
    const { status, stdout } = await maxsim("doctor", "--json");
    expect(status).toBe(0);
    const { ok, checks } = JSON.parse(stdout);
    expect(ok).toBe(true);
    expect(checks.map(({ name }: { name: string }) => name)).toEqual([
      "maxsim",
      "kernels",
      "catalog",
      "model",
    ]);
  });

  it("goes on after a failed check and ends with status 1", async () => {
    const env = { MAXSIM_KERNELS: "abacus" };
    const { status, stdout, stderr } = await runMaxsim(["doctor"], { cwd, env });
    expect(status).toBe(1);
    expect(stdout).toMatch(/^failed {2}kernels: .*abacus/m);
    expect(stdout).toMatch(/^ok {6}model: /m);
    expect(stderr).toMatch(/^error: 1 of 4 checks failed: kernels\n/);
  });
});
