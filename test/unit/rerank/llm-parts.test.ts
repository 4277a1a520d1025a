import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Answer, readChoice, readGrade, readOrder } from "../../../src/rerank/llm/answers.js";
import { Budget } from "../../../src/rerank/llm/budget.js";
import { limitRise, meanOrder, repairOrder, windowSpans } from "../../../src/rerank/llm/orders.js";
import { fillGrades } from "../../../src/rerank/llm/pointwise.js";

function answer(text: string, more: Partial<Answer> = {}): Answer {
  return { text, cut: false, tokens: [], ...more };
}

const IDS = ["ab2c", "de3f", "gh4i"];

describe("an order", () => {
  it.each([
    ["de3f > ab2c > gh4i", [1, 0, 2], 0],
    ["[de3f] > [ab2c] > [gh4i]", [1, 0, 2], 0],
    ["de3f, ab2c", [1, 0], 0],
    ["1. de3f\n2. ab2c\n3. gh4i\n", [1, 0, 2], 0],
    ["- `de3f`\n- `ab2c`.", [1, 0], 0],
    ["Order: de3f > gh4i.", [1, 2], 0],
    ["**DE3F** > ab2c", [1, 0], 0],
    ['["de3f", "ab2c"]', [1, 0], 0],
    ['{"order": ["de3f", "xx9x", 7]}', [1], 2],
    ['```json\n["gh4i"]\n```', [2], 0],
    ["<think>ab2c is first? no</think>\nde3f > gh4i", [1, 2], 0],
    ["de3f > de3f > zz9z > gh", [1, 1], 2],
    ["ab2c > the best of them all", [0], 1],
  ])("is read from %j", (text, named, unknown) => {
    expect(readOrder(answer(text), IDS)).toEqual({ named, unknown });
  });

  it.each([
    "",
    "ab2c is the best, then comes de3f?!",
    "0 > 1 > 2",
    "{}",
    '{"a": "ab2c", "b": "de3f"}',
    "ab2cde3f",
  ])("is not read from %j", (text) => {
    const read = () => readOrder(answer(text), IDS);
    if (text.startsWith("ab2c is")) expect(read).toThrow(/must answer with ids of passages/);
    else expect(read).toThrow(expect.objectContaining({ code: "SERVICE" }));
  });

  it("that was cut off says how to have all of it", () => {
    expect(() => readOrder(answer("", { cut: true }), IDS)).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/maxOutputTokens/) }),
    );
  });

  it("is read in little time from anything", () => {
    for (const unit of ["***", "))))", "[[", "a ", "> ", "``` ", '"', "\n"]) {
      const start = performance.now();
      for (const length of [90_000, 900_000]) {
        const text = unit.repeat(length / unit.length);
        expect(() => readOrder(answer(`${text}x`), IDS)).toThrow();
        expect(() => readGrade(answer(`${text}x`))).toThrow();
      }
      expect(performance.now() - start).toBeLessThan(5_000);
    }
  });
});

describe("a choice", () => {
  it("is one id and nothing else", () => {
    expect(readChoice(answer(" de3f\n"), IDS)).toBe(1);
    expect(readChoice(answer('{"best": "ab2c"}'), IDS)).toBe(0);
    for (const text of ["", "ab2c > de3f", "both", "ab2c or de3f", "1"]) {
      expect(() => readChoice(answer(text), IDS)).toThrow(/the id of one passage/);
    }
  });
});

describe("a grade", () => {
  it.each([
    ["2", 2],
    [" **3** ", 3],
    ["Grade: 0.", 0],
    ['{"grade": 1}', 1],
    ["<think>3?</think>2", 2],
  ])("is read from %j", (text, grade) => {
    expect(readGrade(answer(text))).toBe(grade);
  });

  it.each(["", "4", "-1", "2.5", "23", "2 or 3", "two", "ignore the passage: 3"])(
    "is not read from %j",
    (text) => {
      expect(() => readGrade(answer(text))).toThrow(/a grade from 0 to 3/);
    },
  );

  it("is the digit where its alternatives say little", () => {
    const alternatives = [
      { token: "the", logprob: -0.1 },
      { token: "3", logprob: -3 },
      { token: "2", logprob: Number.NEGATIVE_INFINITY },
    ];
    expect(readGrade(answer("2", { tokens: [{ token: "2", alternatives }] }))).toBe(2);
    expect(readGrade(answer("2", { tokens: [{ token: "2", alternatives: [] }] }))).toBe(2);
  });
});

const orders = fc.integer({ min: 1, max: 30 }).chain((n) =>
  fc.shuffledSubarray(
    Array.from({ length: n }, (_, i) => i),
    { minLength: n, maxLength: n },
  ),
);

describe("orders of a window", () => {
  it("are whole after repair, whatever was named", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.nat(19)), (count, any) => {
        const named = any.filter((i) => i < count);
        const { order, repairs } = repairOrder(named, count, 3);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
        expect(repairs.missing).toBe(count - new Set(named).size);
        expect(repairs.duplicate).toBe(named.length - new Set(named).size);
        const missing = order.slice(count - repairs.missing);
        expect(missing).toEqual([...missing].sort((a, b) => a - b));
      }),
    );
  });

  it("rise no further than they may, and are else as they were", () => {
    fc.assert(
      fc.property(orders, fc.integer({ min: 1, max: 40 }), (order, maxRise) => {
        const limited = limitRise(order, maxRise);
        expect([...limited].sort((a, b) => a - b)).toEqual([...order].sort((a, b) => a - b));
        limited.forEach((old, place) => {
          expect(old - place).toBeLessThanOrEqual(maxRise);
        });
        if (order.every((old, place) => old - place <= maxRise)) expect(limited).toEqual(order);
      }),
    );
  });

  it("have a mean", () => {
    expect(meanOrder([[2, 1, 0]])).toEqual([2, 1, 0]);
    expect(
      meanOrder([
        [0, 1, 2],
        [2, 1, 0],
      ]),
    ).toEqual([0, 1, 2]);
    expect(
      meanOrder([
        [2, 0, 1],
        [2, 1, 0],
        [0, 2, 1],
      ]),
    ).toEqual([2, 0, 1]);
  });

  it("come of windows that cover the list and overlap, as wide as they can", () => {
    fc.assert(
      fc.property(fc.nat(200), fc.integer({ min: 2, max: 30 }), fc.nat(28), (count, size, less) => {
        const step = 1 + (less % (size - 1));
        const spans = windowSpans(count, size, step);
        expect(spans.length === 0).toBe(count < 2);
        if (count < 2) return;
        expect(spans[0]!.end).toBe(count);
        expect(spans.at(-1)!.start).toBe(0);
        for (const { start, end } of spans) expect(end - start).toBe(Math.min(size, count));
        spans.slice(1).forEach(({ start, end }, i) => {
          expect(spans[i]!.start - start).toBeLessThanOrEqual(step);
          expect(end).toBeGreaterThan(spans[i]!.start);
        });
      }),
    );
    expect(windowSpans(100, 20, 10).map(({ start }) => start)).toEqual([80, 70, 60, 50, 40, 30, 20, 10, 0]);
  });
});

describe("grades that are missing", () => {
  it("leave documents at their places", () => {
    expect(fillGrades([1, undefined, 3])).toEqual([1, 2, 3]);
    expect(fillGrades([undefined, 2, 0])).toEqual([2, 2, 0]);
    expect(fillGrades([1, 2, undefined])).toEqual([1, 2, 1]);
    expect(fillGrades([undefined, undefined])).toEqual([0, 0]);
  });
});

describe("a budget", () => {
  const caps = {
    maxRequests: Number.POSITIVE_INFINITY,
    maxTokens: Number.POSITIVE_INFINITY,
    maxCost: Number.POSITIVE_INFINITY,
  };
  const need = { input: 100, output: 20 };

  it("counts what is under way", () => {
    const budget = new Budget({ ...caps, maxTokens: 300 }, undefined, 4);
    const first = budget.admit(need, 3);
    const second = budget.admit(need, 3);
    expect(first).toMatchObject({ attempts: 3 });
    expect(budget.admit(need, 3)).toBe("maxTokens is 300");
    if (typeof first === "string" || typeof second === "string") throw new Error("not admitted");
    budget.settle(first, 1, undefined);
    expect(budget.admit(need, 3)).toMatchObject({ attempts: 3 });
    budget.settle(second, 2, { input: 90, output: 5, estimated: true });
    expect(budget.usage()).toEqual({
      requests: 3,
      inputTokens: 90,
      outputTokens: 5,
      cost: 0,
      estimatedTokens: 95,
    });
  });

  it("leaves each of the calls at the same time an attempt", () => {
    const budget = new Budget({ ...caps, maxRequests: 10 }, undefined, 4);
    const attempts = Array.from({ length: 4 }, () => budget.admit(need, 4)).map((admitted) =>
      typeof admitted === "string" ? 0 : admitted.attempts,
    );
    expect(Math.min(...attempts)).toBeGreaterThan(0);
    expect(attempts.reduce((a, b) => a + b)).toBeLessThanOrEqual(10);
  });
});
