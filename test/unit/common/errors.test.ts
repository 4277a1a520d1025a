import { describe, expect, it } from "vitest";
import { abortedError, throwIfAborted } from "../../../src/common/abort.js";
import {
  deserializeError,
  ioError,
  isMaxsimError,
  MaxsimError,
  serializeError,
  systemCode,
} from "../../../src/common/errors.js";

const systemError = (code: string) => Object.assign(new Error(`${code}: it broke`), { code });

describe("MaxsimError", () => {
  it("carries code, message, hint and cause", () => {
    const cause = new Error("below");
    const error = new MaxsimError("CORRUPT", "it is damaged", { hint: "Restore it.", cause });
    expect(error).toMatchObject({
      name: "MaxsimError",
      code: "CORRUPT",
      message: "it is damaged",
      hint: "Restore it.",
    });
    expect(error.cause).toBe(cause);
    expect(Object.hasOwn(new MaxsimError("IO", "x"), "cause")).toBe(false);
  });

  it("is recognised across copies of the package, and nothing else is", () => {
    const foreign = Object.assign(new Error("x"), { name: "MaxsimError", code: "IO" });
    expect(isMaxsimError(foreign)).toBe(true);
    expect([systemError("ENOENT"), { name: "MaxsimError", code: "IO" }, null, "IO"].some(isMaxsimError)).toBe(
      false,
    );
  });

  it("survives structured cloning", () => {
    const back = deserializeError(
      structuredClone(serializeError(new MaxsimError("LOCKED", "held", { hint: "Wait." }))),
    );
    expect(back).toBeInstanceOf(MaxsimError);
    expect(back).toMatchObject({ code: "LOCKED", message: "held", hint: "Wait." });
    expect(deserializeError(serializeError(new MaxsimError("LOCKED", "held"))).hint).toBeUndefined();
  });

  it("keeps the stack of what a thread did not expect to throw", () => {
    expect(serializeError(new TypeError("oops"))).toMatchObject({ code: "WORKER_FAILED" });
    expect(serializeError(new TypeError("oops")).message).toMatch(/TypeError: oops\n\s+at /);
    expect(serializeError("text")).toEqual({ code: "WORKER_FAILED", message: "text" });
  });
});

describe("ioError", () => {
  it.each(["ENOSPC", "EDQUOT", "EFBIG", "SQLITE_FULL"])("tells a full disk by %s", (code) => {
    const error = ioError("write", "/data/x", systemError(code));
    expect(error).toMatchObject({ code: "DISK_FULL" });
    expect(error.message).toContain("/data/x");
    expect(error.hint).toContain("intact");
  });

  it("wraps everything else with the path and the reason", () => {
    const cause = systemError("EACCES");
    expect(ioError("open", "/data/x", cause)).toMatchObject({
      code: "IO",
      message: "cannot open /data/x: EACCES: it broke",
      cause,
    });
    expect(ioError("open", "x", "odd").message).toBe("cannot open x: odd");
  });

  it("lets errors of the package pass", () => {
    const error = new MaxsimError("CORRUPT", "x");
    expect(ioError("read", "y", error)).toBe(error);
  });

  it("reads codes of system errors only", () => {
    expect(systemCode(systemError("ENOENT"))).toBe("ENOENT");
    expect(systemCode(Object.assign(new Error(), { code: 5 }))).toBeUndefined();
    expect(systemCode({ code: "ENOENT" })).toBeUndefined();
  });
});

describe("abort", () => {
  it("throws once the signal has fired, with the reason as the cause", () => {
    const controller = new AbortController();
    throwIfAborted(undefined, "indexing");
    throwIfAborted(controller.signal, "indexing");
    controller.abort("enough");
    expect(() => throwIfAborted(controller.signal, "indexing")).toThrow(/indexing was aborted/);
    expect(abortedError(controller.signal, "indexing")).toMatchObject({ code: "ABORTED", cause: "enough" });
  });
});
