import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LANGUAGE_EXTENSIONS } from "../../../../src/text/code/languages.js";
import { extractText } from "../../../../src/text/extract/index.js";
import { formatOf } from "../../../../src/text/formats.js";
import { splitDocument } from "../../../../src/text/split.js";
import { countPieces, showBlocks, showPassages } from "../../../support/outline.js";

const folder = join(import.meta.dirname, "../../../fixtures/code");
const files = readdirSync(folder).filter((name) => name.endsWith(".txt") && name !== "expected.txt");

/** Per file, what the definitions and the passages are, checked by eye against the file. */
const expected = new Map(
  readFileSync(join(folder, "expected.txt"), "utf8")
    .split(/^== /m)
    .slice(1)
    .map((section) => {
      const [name = "", ...lines] = section.trimEnd().split("\n");
      return [name, lines] as const;
    }),
);

describe.each(files.map((file) => file.replace(/\.txt$/, "")))("%s", (name) => {
  const source = readFileSync(join(folder, `${name}.txt`), "utf8");
  const document = extractText(source, "code", `src/${name}`);

  test("has these definitions", () => {
    expect(document.title).toBe(name);
    expect(showBlocks(document.text, document.blocks)).toEqual(expected.get(name));
  });

  test("has these passages", () => {
    const spans = splitDocument(document, { budget: 96, countTokens: countPieces });
    expect(showPassages(spans)).toEqual(expected.get(`${name} in passages`));
  });
});

test("every language has a sample", () => {
  expect(expected.size).toBe(files.length * 2);
  const extensions = files.map((file) => file.split(".").at(-2)!);
  for (const group of [
    ["ts", "jsx"],
    ["py"],
    ["go"],
    ["rs"],
    ["java"],
    ["kt"],
    ["c", "cpp"],
    ["cs"],
    ["rb"],
    ["php"],
  ]) {
    for (const extension of group) expect(extensions).toContain(extension);
  }
  for (const extension of [...extensions, ...LANGUAGE_EXTENSIONS])
    expect(formatOf(`a.${extension}`)).toBe("code");
});

/** Names of all definitions, in order. */
function namesOf(source: string, path: string): string[] {
  const { blocks } = extractText(source, "code", path);
  return blocks.filter(({ opens }) => opens).map(({ scope }) => scope!.join(" > "));
}

describe("JavaScript", () => {
  test.each<[string, string[]]>([
    ["function f() {\n  if (a) /}/.test(b)\n}\nfunction g() {}", ["f()", "g()"]],
    ["const f = x => {\n  return x / 2 / '}'.length\n}\nfunction g() {}", ["f()", "g()"]],
    [`function f() {\n  return \`\${\`}\` + {a: \`\${1}\`}.a}\`\n}\nfunction g() {}`, ["f()", "g()"]],
    ["const f = <T,>(x: T): { a: T } => ({\n  a: x\n})\nexport class A {}", ["f()", "class A"]],
    [
      "export abstract class A<T> {\n  abstract b(): void;\n  protected async *c<U>(x: U) {\n  }\n}",
      ["class A", "class A > c()"],
    ],
    [
      "class A {\n  get() {\n  }\n  static async() {\n  }\n  static {\n  }\n}",
      ["class A", "class A > get()", "class A > async()", "class A > static"],
    ],
    [
      "class A {\n  #p() {\n  }\n  [Symbol.iterator]() {\n  }\n  'a b'() {\n  }\n}",
      ["class A", "class A > #p()", "class A > [Symbol.iterator]()", "class A > 'a b'()"],
    ],
    ["export default {\n  data() {\n    return 1;\n  },\n};", ["default", "default > data()"]],
    ["A.prototype.b = function () {\n};", ["A.prototype.b()"]],
    ["declare module 'x' {\n  export function f(a: string): void;\n}", ["module 'x'", "module 'x' > f()"]],
    [
      "export namespace N.M {\n  export enum E {\n    A,\n  }\n}",
      ["namespace N.M", "namespace N.M > enum E"],
    ],
    ["test.each([1, 2])('n %i', (n) => {\n});", ["test 'n %i'"]],
    ["if (x) {\n  function hidden() {\n  }\n}\nfor (const a of b) {\n}\nwhile (c) {\n}", ["hidden()"]],
  ])("%#", (source, names) => expect(namesOf(source, "a.ts")).toEqual(names));
});

describe("brackets that do not come out even", () => {
  test("cost the function they stand in, not the ones after it", () => {
    const source =
      "function a() {\n  if (x) {\n}\nfunction b() {\n}\nfunction c() {\n  y(\n}\nfunction d() {\n}";
    expect(namesOf(source, "a.js")).toEqual(["a()", "b()", "c()", "d()"]);
  });

  test("of two branches of a condition count once", () => {
    const source =
      "#if A\nint f(int a) {\n#else\nint f(long a) {\n#endif\n  return a;\n}\nint g() {\n  return 1;\n}";
    expect(namesOf(source, "a.c")).toEqual(["f()", "g()"]);
  });

  test("in unfinished literals are no brackets", () => {
    expect(namesOf("const a = `{;\nfunction b() {\n}", "a.js")).toEqual(["b()"]);
    expect(namesOf('x = """{\ndef f():\n  pass\n', "a.py")).toEqual(["f()"]);
    expect(namesOf("/* { \nfn f() {\n}\n", "a.rs")).toEqual(["f()"]);
    expect(namesOf("f() {\n  cat <<EOF\n}\ng() {\n}\n", "a.sh")).toEqual(["f()", "g()"]);
  });
});

test("a file of an unknown language, and configuration, are chunks", () => {
  const { blocks, title } = extractText("a: 1\n\nb:\n  c: 2\n", "code", "x/deploy.yaml");
  expect(title).toBe("deploy.yaml");
  expect(blocks).toEqual([
    { kind: "code", start: 0, end: 4 },
    { kind: "code", start: 6, end: 15 },
  ]);
});
