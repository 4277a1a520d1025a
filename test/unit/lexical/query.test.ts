import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseQuery, plainQuery } from "../../../src/lexical/query.js";

describe("parseQuery", () => {
  it.each([
    ["cancel a task", { text: "cancel a task", phrases: [], excluded: [] }],
    ['"running task" cancel', { text: "running task cancel", phrases: ["running task"], excluded: [] }],
    ["jaguar -car", { text: "jaguar", phrases: [], excluded: ["car"] }],
    ['jaguar -"sports car" fast', { text: "jaguar fast", phrases: [], excluded: ["sports car"] }],
    ['say "hello".', { text: "say hello.", phrases: ["hello"], excluded: [] }],
  ])("reads %s", (query, expected) => {
    expect(parseQuery(query)).toMatchObject(expected);
  });

  it.each([
    "a non-small cell",
    "temperature of -5 degrees",
    "x - y",
    "--force",
    'a 5" disk',
    'an "open quote',
    'not"quoted"here',
    '""',
  ])("takes %s for text", (query) => {
    const { phrases, excluded } = parseQuery(query);
    expect({ phrases, excluded }).toEqual({ phrases: [], excluded: [] });
  });

  it("neither invents nor loses a word", () => {
    const word = fc.stringMatching(/^[a-z]{1,6}$/);
    const part = fc.tuple(
      fc.constantFrom("plain", "phrase", "without"),
      fc.array(word, { minLength: 1, maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const query = parts
          .map(([kind, words]) => {
            const text = words.join(" ");
            return kind === "plain" ? text : kind === "phrase" ? `"${text}"` : `-"${text}"`;
          })
          .join(" ");
        const of = (kind: string) => parts.filter((p) => p[0] === kind).map(([, words]) => words.join(" "));
        const kept = parts.filter(([kind]) => kind !== "without").map(([, words]) => words.join(" "));
        expect(parseQuery(query)).toMatchObject({
          text: kept.join(" "),
          phrases: of("phrase"),
          excluded: of("without"),
        });
      }),
    );
  });

  it("reads any text in time that grows with its length", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => void parseQuery(text)));
    for (const text of ['"'.repeat(100_000), " -".repeat(100_000), '-"'.repeat(100_000)]) parseQuery(text);
  });
});

it("plainQuery has no operators", () => {
  expect(plainQuery(' "a" -b ')).toMatchObject({ text: '"a" -b', phrases: [], excluded: [] });
});
