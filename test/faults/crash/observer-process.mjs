/** The parent's side of observer.mjs: one request after the other, and a new child when one died or hangs. */
import { fork } from "node:child_process";

const WATCHDOG_MS = 60_000;

export class ObserverProcess {
  #child;
  #stderr = "";

  constructor(dist) {
    this.dist = dist;
  }

  /** Why this build cannot perform the operations; null when it can. */
  missing(operations) {
    return this.#request({ action: "missing", operations });
  }

  /** Plain JSON, see observe.mjs; an error that the package threw, or a crash, is thrown with what was seen. */
  observe({ folder, model }) {
    return this.#request({ action: "observe", folder, model });
  }

  strays({ folder }) {
    return this.#request({ action: "strays", folder });
  }

  perform({ folder, model, notes }, operations) {
    return this.#request({ action: "perform", folder, model, notes, operations });
  }

  /** Performs the operations and observes behind each. */
  goldens({ folder, model, notes }, operations) {
    return this.#request({ action: "goldens", folder, model, notes, operations });
  }

  end() {
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
  }

  async #request(test) {
    if (this.#child === undefined) {
      this.#stderr = "";
      this.#child = fork(new URL("./observer.mjs", import.meta.url), {
        stdio: ["ignore", "ignore", "pipe", "ipc"],
      });
      this.#child.stderr.setEncoding("utf8").on("data", (text) => {
        this.#stderr = (this.#stderr + text).slice(-4000);
      });
      await this.#ask({ setup: { dist: this.dist } });
    }
    return this.#ask({ test });
  }

  #ask(message) {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const settle = (error, value) => {
        clearTimeout(timer);
        child.off("message", answered);
        child.off("close", died);
        if (error === undefined) resolve(value);
        else reject(error);
      };
      const answered = ({ kind, value, error }) =>
        settle(kind === "done" ? undefined : new Error(error), value);
      const died = (code, signal) => {
        this.#child = undefined;
        settle(new Error(`the observer died (${signal ?? code}): ${this.#stderr}`));
      };
      const timer = setTimeout(() => {
        this.end();
        settle(new Error(`the observer hangs: no answer in ${WATCHDOG_MS / 1000} s`));
      }, WATCHDOG_MS);
      child.on("message", answered);
      child.on("close", died);
      child.send(message);
    });
  }
}
