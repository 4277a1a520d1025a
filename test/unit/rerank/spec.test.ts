import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isRemote, parseRerankerSpec } from "../../../src/rerank/spec.js";

const parse = (spec: string) =>
  parseRerankerSpec(spec).map(({ kind, model, depth }) => {
    return { kind, ...(model === undefined ? {} : { model }), ...(depth === undefined ? {} : { depth }) };
  });

describe("specs of rerankers", () => {
  it.each([
    ["late", [{ kind: "late" }]],
    ["late@200", [{ kind: "late", depth: 200 }]],
    ["late:my-model", [{ kind: "late", model: "my-model" }]],
    ["cohere", [{ kind: "cohere" }]],
    ["jina:jina-reranker-v3", [{ kind: "jina", model: "jina-reranker-v3" }]],
    ["llm:openai/gpt-oss:20b@10", [{ kind: "llm", model: "openai/gpt-oss:20b", depth: 10 }]],
    ["llm-pairwise:m", [{ kind: "llm-pairwise", model: "m" }]],
    ["tei:http://127.0.0.1:8080", [{ kind: "tei", model: "http://127.0.0.1:8080" }]],
    ["tei:https://h/rerank@30", [{ kind: "tei", model: "https://h/rerank", depth: 30 }]],
    ["tei", [{ kind: "tei" }]],
    ["./models/mine", [{ kind: "model", model: "./models/mine" }]],
    ["C:\\models\\mine", [{ kind: "model", model: "C:\\models\\mine" }]],
    ["mixedbread-ai/mxbai-rerank", [{ kind: "model", model: "mixedbread-ai/mxbai-rerank" }]],
    ["cross-encoder:a/b@main@5", [{ kind: "cross-encoder", model: "a/b@main", depth: 5 }]],
    ["late:./a\\+b", [{ kind: "late", model: "./a+b" }]],
    [
      "late@200 + cross-encoder:m@50+llm:x@10",
      [
        { kind: "late", depth: 200 },
        { kind: "cross-encoder", model: "m", depth: 50 },
        { kind: "llm", model: "x", depth: 10 },
      ],
    ],
  ])("reads %s", (spec, expected) => {
    expect(parse(spec)).toEqual(expected);
  });

  it.each([
    ["", /has no name/],
    [" ", /has no name/],
    ["@5", /has no name/],
    ["late+", /a stage has no name/],
    ["late++cohere", /a stage has no name/],
    ["late@0", /a depth is a number from 1 to 10000, found 0/],
    ["late@10001", /a depth is a number/],
    ["cohere:", /cohere needs a model of the service/],
    ["cross-encoder", /cross-encoder needs a model/],
    ["llm", /llm needs a language model/],
    ["llm-pointwise@5", /llm-pointwise needs/],
    ["coheer:x", /there is no kind "coheer", did you mean cohere\?/],
    ["openai:x", /there is no kind "openai"$/],
    ["http://localhost:8080", /tei:http:\/\/localhost:8080 would/],
    ["tei:localhost:8080", /tei needs the address of a server.*found "localhost:8080"/],
    ["constructor:x", /there is no kind "constructor"/],
  ])("refuses %j and says what is possible", (spec, message) => {
    expect(() => parseRerankerSpec(spec)).toThrowError(
      expect.objectContaining({
        code: "INVALID_ARGUMENT",
        message: expect.stringMatching(message),
        hint: expect.stringContaining("late[:model], cross-encoder:model, cohere[:model]"),
      }),
    );
  });

  it("refuses what is no text", () => {
    expect(() => parseRerankerSpec(7 as unknown as string)).toThrowError(/must be a string, found 7/);
  });

  it("never fails in another way", () => {
    const words = fc.constantFrom(
      "late",
      "cohere",
      "llm",
      ":",
      "@",
      "+",
      "\\",
      "/",
      "5",
      "x",
      " ",
      "tei:http://a",
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 8 }), (parts) => {
        try {
          for (const { kind, text } of parseRerankerSpec(parts.join(""))) {
            expect(text).not.toBe("");
            expect(kind).toMatch(/^[a-z-]+$/);
          }
        } catch (error) {
          expect(error).toMatchObject({ code: "INVALID_ARGUMENT" });
        }
      }),
    );
  });

  it("know who is asked over a network", () => {
    const remote = (spec: string): boolean[] => parseRerankerSpec(spec).map(isRemote);
    expect(remote("late+cross-encoder:m+./m+cohere+tei+llm:x")).toEqual([
      ...[false, false, false],
      ...[true, true, true],
    ]);
  });
});
