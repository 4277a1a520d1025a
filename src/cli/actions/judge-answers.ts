/** Answers of somebody who judges: single keys on a terminal, lines from anywhere else. */
import { createInterface } from "node:readline";
import { abortedError } from "../../common/abort.js";
import { MaxsimError } from "../../common/errors.js";
import { MAX_GRADE } from "../../engine/judgements.js";
import type { CommandContext } from "../context.js";

export type Answer =
  | { readonly kind: "grade"; readonly grade: number }
  | { readonly kind: "skip" | "undo" | "quit" };

export interface Answers extends AsyncDisposable {
  /** The next answer; undefined at the end of the input. Errors: INVALID_INPUT for a line that is none, ABORTED. */
  next(): Promise<Answer | undefined>;
}

/** What the keys are, in one line. */
export const KEYS = "y n 0-3, s skip, u undo, q quit";

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const ESCAPE = "\u001b";
/** Arrows and their like come as a sequence, whose letters mean nothing. */
const SEQUENCES = new RegExp(`${ESCAPE}(?:\\[[0-?]*[ -/]*[@-~]|O?.)?`, "g");

/** What a key or a line means; undefined for anything else. */
export function parseAnswer(text: string): Answer | undefined {
  const word = text.trim().toLowerCase();
  if (/^(?:y|yes)$/.test(word)) return { kind: "grade", grade: 1 };
  if (/^(?:n|no)$/.test(word)) return { kind: "grade", grade: 0 };
  if (/^\d$/.test(word) && Number(word) <= MAX_GRADE) return { kind: "grade", grade: Number(word) };
  if (/^(?:s|skip)$/.test(word)) return { kind: "skip" };
  if (/^(?:u|undo)$/.test(word)) return { kind: "undo" };
  return /^(?:q|quit)$/.test(word) ? { kind: "quit" } : undefined;
}

export function readAnswers(context: CommandContext): Answers {
  return context.stdin.isTTY === true ? keysOf(context) : linesOf(context);
}

function linesOf({ stdin, signal }: CommandContext): Answers {
  const terminal = createInterface({ input: stdin });
  // Taken at once: lines that come before somebody asks for them are kept.
  const lines = terminal[Symbol.asyncIterator]();
  let number = 0;
  return {
    async next() {
      for (;;) {
        const { value, done } = await unlessAborted(lines.next(), signal);
        if (done === true) return undefined;
        number++;
        if (value.trim() === "") continue;
        const answer = parseAnswer(value);
        if (answer !== undefined) return answer;
        throw new MaxsimError(
          "INVALID_INPUT",
          `line ${number} of the input is no answer: ${JSON.stringify(value)}`,
          { hint: `Answers are ${KEYS}. What was judged before is kept.` },
        );
      }
    },
    async [Symbol.asyncDispose]() {
      terminal.close();
    },
  };
}

function keysOf({ stdin, stderr, signal }: CommandContext): Answers {
  const waiting: string[] = [];
  let wake = (): void => undefined;
  const take = (bytes: Buffer): void => {
    waiting.push(...bytes.toString("utf8").replace(SEQUENCES, ""));
    wake();
  };
  const end = (): void => take(Buffer.from(CTRL_D));
  stdin.setRawMode(true);
  stdin.on("data", take);
  stdin.on("end", end);
  stdin.resume();
  return {
    async next() {
      for (;;) {
        while (waiting.length === 0) {
          const woken = new Promise<void>((resolve) => {
            wake = resolve;
          });
          await unlessAborted(woken, signal);
        }
        const key = waiting.shift() ?? "";
        // In this mode the terminal sends no signal.
        if (key === CTRL_C) process.kill(process.pid, "SIGINT");
        else if (key === CTRL_D) return { kind: "quit" };
        else {
          const answer = parseAnswer(key);
          if (answer !== undefined) return answer;
          if (key.trim() !== "") stderr.write(`\n${KEYS}: `);
        }
      }
    },
    async [Symbol.asyncDispose]() {
      stdin.off("data", take);
      stdin.off("end", end);
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}

/** Errors: ABORTED, as soon as the signal fires. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const stopped = (): MaxsimError =>
    new MaxsimError("ABORTED", abortedError(signal, "judging").message, {
      hint: "What was judged is kept; the same command goes on.",
    });
  if (signal.aborted) throw stopped();
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(stopped());
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
