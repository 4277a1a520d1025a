import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exitStatus, renderError } from "../../../src/cli/render/error.js";
import { renderJson, renderJsonList } from "../../../src/cli/render/json.js";
import { MaxsimError } from "../../../src/common/errors.js";

describe("renderJsonList", () => {
  it("gives, piece by piece, what renderJson gives at once", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }),
        fc.array(fc.jsonValue()),
        (head, items) => {
          const rest: Record<string, unknown> = { first: 1, ...head };
          delete rest.list;
          expect([...renderJsonList(rest, "list", items)].join("")).toBe(
            renderJson({ ...rest, list: items }),
          );
        },
      ),
    );
  });
});

describe("renderJson", () => {
  it("keeps the order of keys and ends with a line break", () => {
    expect(renderJson({ b: 1, a: [true, null] })).toBe(
      '{\n  "b": 1,\n  "a": [\n    true,\n    null\n  ]\n}\n',
    );
  });

  it("reads back as the same value, without characters that steer a terminal", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = renderJson(value);
        expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202a-\u202e]/u);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    expect(JSON.parse(renderJson("a\u009b31m\u202e\u001b"))).toBe("a\u009b31m\u202e\u001b");
    expect(renderJson("\u009b\u202e")).toBe('"\\u009b\\u202e"\n');
  });

  it("takes what JSON has no form for", () => {
    const value = {
      map: new Map([["a", new Set([1])]]),
      floats: Float32Array.of(0.5, 1),
      small: 5n,
      large: 2n ** 60n,
      error: new MaxsimError("LOCKED", "held", { hint: "Wait." }),
      other: new TypeError("odd"),
      missing: undefined,
    };
    expect(JSON.parse(renderJson(value))).toEqual({
      map: { a: [1] },
      floats: [0.5, 1],
      small: 5,
      large: "1152921504606846976",
      error: { code: "LOCKED", message: "held", hint: "Wait." },
      other: { code: "INTERNAL", message: "odd" },
    });
    expect(renderJson(undefined)).toBe("null\n");
  });
});

describe("renderError", () => {
  const target = { stderr: {}, env: {} };

  it("writes the message and the hint", () => {
    const error = new MaxsimError("INDEX_NOT_FOUND", "there is no index in x", { hint: "Make one." });
    expect(renderError(error, target)).toBe("error: there is no index in x\nhint: Make one.\n");
    expect(renderError(new MaxsimError("IO", "it broke"), target)).toBe("error: it broke\n");
  });

  it("colours the words on a terminal", () => {
    const terminal = { stderr: { isTTY: true }, env: {} };
    expect(renderError(new MaxsimError("IO", "it broke"), terminal)).toBe(
      "\u001b[31merror:\u001b[39m it broke\n",
    );
  });

  it("shows stacks only when asked to", () => {
    expect(renderError(new TypeError("oops"), target)).toMatch(/^error: oops\nhint: .*bug.*--verbose.*\n$/);
    expect(renderError(new TypeError("oops"), { ...target, verbose: true })).toMatch(
      /^error: oops\nhint: .*bug.*\nTypeError: oops\n {4}at /,
    );
    expect(renderError("text", target)).toMatch(/^error: text\n/);
    const error = new MaxsimError("IO", "it broke", { cause: new Error("below") });
    expect(renderError(error, target)).not.toContain("below");
    expect(renderError(error, { stderr: {}, env: { MAXSIM_DEBUG: "1" } })).toContain("below");
    expect(renderError(error, { stderr: {}, env: { MAXSIM_DEBUG: "0" } })).not.toContain("below");
  });

  it("lets no message speak to the terminal", () => {
    expect(renderError(new MaxsimError("IO", "no \u001b[2Jfile\u0007"), target)).toBe("error: no file\n");
  });
});

describe("exitStatus", () => {
  it("is 2 for wrong usage and 1 for the rest", () => {
    expect(exitStatus(new MaxsimError("INVALID_ARGUMENT", "x"))).toBe(2);
    expect(exitStatus(new MaxsimError("CORRUPT", "x"))).toBe(1);
    expect(exitStatus(new Error("x"))).toBe(1);
    expect(exitStatus(undefined)).toBe(1);
  });
});
