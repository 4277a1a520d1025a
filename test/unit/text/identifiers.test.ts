import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findIdentifiers, identifierParts } from "../../../src/text/identifiers.js";

const names = (text: string): Array<[string, readonly string[]]> =>
  Array.from(findIdentifiers(text), ({ start, end, parts }) => [text.slice(start, end), parts]);

describe("names", () => {
  test.each([
    ["readFile", ["read", "file"]],
    ["HTTPServer2", ["http", "server", "2"]],
    ["snake_case_name", ["snake", "case", "name"]],
    ["MAX__FILE_SIZE", ["max", "file", "size"]],
    ["kebab-case", ["kebab", "case"]],
    ["parseURLs", ["parse", "urls"]],
    ["URLsOfPages", ["urls", "of", "pages"]],
    ["IPv4Address", ["ipv", "4", "address"]],
    ["getX", ["get", "x"]],
    ["sha256sum", ["sha", "256", "sum"]],
    ["i18n", ["i", "18", "n"]],
    ["İstanbulŞehir", ["i̇stanbul", "şehir"]],
    ["東京Tower", ["東京", "tower"]],
    ["e\u0301tatMajor", ["e\u0301tat", "major"]],
    ["𝒜lphaBeta", ["𝒜lpha", "beta"]],
  ])("%s", (name, parts) => {
    expect(names(name)).toEqual([[name, parts]]);
    expect(names(`(__${name}, "--${name}-");`).map(([found]) => found)).toEqual([name, name]);
  });

  test.each([
    "word",
    "HTTP",
    "Title",
    "URLs",
    "42",
    "3.14",
    "2024-05-06",
    "a -- b",
    "one — two",
    "don't",
    "東京",
    "",
  ])("nothing in %j", (text) => expect(names(text)).toEqual([]));

  test("a hash and a long run of letters stay whole", () => {
    expect(identifierParts("a3f5c9d2e1b7 3d6f0a9b-1c2d-4e5f-8a7b-9c0d1e2f3a4b")).toEqual([]);
    expect(identifierParts("aB".repeat(40))).toEqual([]);
  });
});

describe("compounds", () => {
  test("come after their names", () => {
    expect(names("os.pathJoin")).toEqual([
      ["pathJoin", ["path", "join"]],
      ["os.pathJoin", ["os", "path", "join"]],
    ]);
  });

  test.each(["std::vector", "list->next", "list?.next", "Foo#bar", "src/text", "a.txt", "src\\text"])(
    "%s",
    (text) => expect(names(`see ${text}.`).map(([found]) => found)).toEqual([text]),
  );

  test("long ones give their names alone", () => {
    const path = Array.from({ length: 20 }, (_, i) => `folderOf/x${i}`).join("/");
    const found = names(path);
    expect(found.every(([name]) => name.length < 20)).toBe(true);
    expect(found).toHaveLength(40);
  });
});

test("identifierParts gives parts and joined forms, each once, in order", () => {
  expect(identifierParts("readFile and read_file, then writeFile")).toEqual([
    "read",
    "file",
    "readfile",
    "write",
    "writefile",
  ]);
});

const piece = fc.constantFrom(
  "a",
  "bc",
  "D",
  "EF",
  "7",
  "12",
  "_",
  "-",
  ".",
  "/",
  "::",
  " ",
  "é",
  "東",
  "𝒜",
  "\u0301",
);

test("parts joined are the name without what separates them", () => {
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join("")),
      (text) => {
        let end = 0;
        for (const found of findIdentifiers(text)) {
          expect(found.parts.length).toBeGreaterThan(1);
          expect(found.parts.join("")).toBe(found.joined);
          const name = text.slice(found.start, found.end);
          expect(found.joined).toBe(name.replace(/[^\p{L}\p{N}\p{M}]/gu, "").toLowerCase());
          expect(found.end).toBeGreaterThanOrEqual(end);
          end = found.end;
        }
      },
    ),
  );
});

test("any text, any spelling of a name", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
      expect(identifierParts(text)).toEqual(identifierParts(text));
    }),
  );
  const word = fc.stringMatching(/^[a-z]{2,6}$/);
  fc.assert(
    fc.property(fc.array(word, { minLength: 2, maxLength: 5 }), (words) => {
      const pascal = words.map((one) => one.charAt(0).toUpperCase() + one.slice(1)).join("");
      for (const name of [words.join("_"), words.join("-"), pascal, words.join("_").toUpperCase()]) {
        expect(names(name)).toEqual([[name, words]]);
      }
    }),
  );
});

test("megabytes without a break take linear time", () => {
  for (const text of [
    "aB".repeat(3e5),
    "a.".repeat(3e5),
    "a_".repeat(3e5),
    "\ud800".repeat(3e5),
    "a\u0301".repeat(3e5),
  ]) {
    expect(identifierParts(text).length).toBeLessThan(3);
  }
});
