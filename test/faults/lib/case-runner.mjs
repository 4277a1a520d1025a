/**
 * Runs many small cases in a child process that may die: the parent hands over one case at a time, so it knows which one
 * killed the child, or did not come to an end, and goes on behind it with a new child.
 */
import { fork } from "node:child_process";

const STDERR_BYTES = 4096;

/**
 * @typedef {{ kind: "done", value: any } | { kind: "crash", signal: string | null, code: number | null, stderr: string } |
 *   { kind: "hang", milliseconds: number } | { kind: "threw", error: string }} Outcome
 */

/**
 * @param {{
 *   program: URL | string, setup: unknown, cases: Iterable<any>,
 *   onOutcome: (test: any, outcome: Outcome) => void,
 *   children?: number, watchdog?: number, execArgv?: string[], env?: Record<string, string>, deadline?: number,
 * }} options `program` calls `serveCases`; `setup` and the cases survive JSON. `watchdog`: milliseconds that a case may take,
 *   10,000 by default. `deadline`: a time (performance.now()) after which no case is started.
 * @returns {Promise<{ cases: number, restarts: number, stopped: boolean }>} `stopped` when the deadline came first.
 */
export async function runCases(options) {
  const { children = 1, deadline = Number.POSITIVE_INFINITY } = options;
  const iterator = options.cases[Symbol.iterator]();
  const total = { cases: 0, restarts: 0, stopped: false };
  const next = () => {
    if (performance.now() > deadline) {
      total.stopped = true;
      return undefined;
    }
    const { value, done } = iterator.next();
    return done ? undefined : value;
  };
  await Promise.all(Array.from({ length: children }, () => runLane(options, next, total)));
  return total;
}

async function runLane(options, next, total) {
  let child;
  try {
    for (let test = next(); test !== undefined; test = next()) {
      child ??= await startChild(options);
      const outcome = await child.run(test);
      total.cases++;
      if (outcome.kind === "crash" || outcome.kind === "hang") {
        await child.end();
        child = undefined;
        total.restarts++;
      }
      options.onOutcome(test, outcome);
    }
  } finally {
    await child?.end();
  }
}

async function startChild({ program, setup, watchdog = 10_000, execArgv = [], env = {} }) {
  const child = fork(program, {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    execArgv,
    env: { ...process.env, ...env },
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr = (stderr + text).slice(-STDERR_BYTES);
  });
  const closed = new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal })));
  let answer = () => undefined;
  child.on("message", (message) => answer(message));
  child.on("error", () => undefined);
  const ask = (message, milliseconds) =>
    new Promise((resolve) => {
      const timer = setTimeout(() => resolve({ kind: "hang", milliseconds }), milliseconds);
      const settle = (outcome) => {
        clearTimeout(timer);
        resolve(outcome);
      };
      answer = settle;
      void closed.then(({ code, signal }) => settle({ kind: "crash", code, signal, stderr }));
      if (child.connected) child.send(message);
    });
  const ready = await ask({ setup }, 60_000);
  if (ready.kind !== "done") {
    child.kill("SIGKILL");
    throw new Error(`the child of ${program} did not start: ${JSON.stringify(ready)}\n${stderr}`);
  }
  return {
    run: (test) => ask({ test }, watchdog),
    async end() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}
