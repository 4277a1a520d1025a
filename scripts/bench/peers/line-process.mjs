// A child process that answers lines: one JSON line for each line that it is sent, in order.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Characters of the last error output that a failure quotes. */
const QUOTED = 2000;

export class LineProcess {
  #child;
  #waiting = [];
  #failure;
  #exit;
  /** What the process wrote to stderr, its end if it is long. */
  messages = "";

  /**
   * @param {readonly string[]} command file and arguments
   * @param {Record<string, string>} env added to the environment
   */
  constructor([file, ...args], env) {
    this.#child = spawn(file, args, { env: { ...process.env, ...env }, stdio: "pipe" });
    this.#child.stderr.setEncoding("utf8").on("data", (text) => {
      this.messages = (this.messages + text).slice(-10 * QUOTED);
    });
    // A process that ended while it was written to is reported by its end.
    this.#child.stdin.on("error", (error) => this.#fail(error));
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#waiting.shift()?.resolve(line));
    this.#exit = new Promise((resolve) => {
      this.#child.once("error", (error) => {
        this.#fail(error);
        resolve();
      });
      this.#child.once("close", (status, signal) => {
        const how = signal === null ? `status ${status}` : signal;
        this.#fail(new Error(`${file} ended with ${how}: ${this.messages.slice(-QUOTED).trim()}`));
        resolve();
      });
    });
  }

  /** The next line of the process that no other call waits for, as JSON. */
  async read() {
    if (this.#failure !== undefined) throw this.#failure;
    const line = await new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
    const answer = JSON.parse(line);
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }

  /** Sends a line and reads its answer. @param {string | number} line */
  ask(line) {
    const answer = this.read();
    this.#child.stdin.write(`${line}\n`);
    return answer;
  }

  /** Ends the input and waits until the process is gone. */
  async end() {
    this.#child.stdin.end();
    await this.#exit;
  }

  #fail(error) {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}

/**
 * Runs a command to its end and returns what it wrote to stdout.
 *
 * @param {readonly string[]} command file and arguments
 * @param {Record<string, string>} [env] added to the environment
 * @param {string} [cwd] working directory
 * @returns {Promise<string>}
 */
export function output([file, ...args], env = {}, cwd = ".") {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    let messages = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      messages = (messages + text).slice(-QUOTED);
    });
    child.once("error", reject);
    child.once("close", (status, signal) => {
      if (status === 0) resolve(out);
      else reject(new Error(`${file} ended with ${signal ?? `status ${status}`}: ${messages.trim()}`));
    });
  });
}
