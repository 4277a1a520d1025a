/** Runs the built command line as a child process, without a network. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface CliOptions {
  /** Working folder. */
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** What is run; default: Node.js with the command line. The arguments follow. */
  readonly command?: readonly string[];
}

export interface CliResult {
  /** Null when a signal ended the process. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCli {
  readonly child: ChildProcess;
  readonly result: Promise<CliResult>;
  /** Waits until the output (stdout and stderr) has `count` matches; fails when the process ends before. */
  seen(pattern: RegExp, count?: number): Promise<void>;
}

/** The environment of the tests without what would change the output, and without a way to the network. */
export function cliEnvironment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(MAXSIM_|HF_|FORCE_COLOR$|NO_COLOR$|CLICOLOR|NODE_OPTIONS$|TERM$|VITEST)/.test(name),
  );
  const nobody = "http://127.0.0.1:9";
  return { ...Object.fromEntries(kept), HF_HUB_OFFLINE: "1", HTTPS_PROXY: nobody, TERM: "xterm", ...more };
}

export function startMaxsim(args: readonly string[], options: CliOptions): RunningCli {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: run npm run build`);
  const [program, ...first] = options.command ?? [process.execPath, MAIN];
  const child = spawn(program!, [...first, ...args], {
    cwd: options.cwd,
    env: cliEnvironment(options.env),
    stdio: ["pipe", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  let looked = (): void => undefined;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    looked();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    looked();
  });
  const result = new Promise<CliResult>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
  const seen = async (pattern: RegExp, count = 1): Promise<void> => {
    const all = new RegExp(pattern.source, `${pattern.flags.replace("g", "")}g`);
    const here = (): boolean => [...(stdout + stderr).matchAll(all)].length >= count;
    await new Promise<void>((resolve, reject) => {
      looked = () => {
        if (here()) resolve();
      };
      looked();
      void result.then((ended) =>
        reject(new Error(`ended without ${pattern}: ${JSON.stringify(ended, null, 2)}`)),
      );
    });
  };
  return { child, result, seen };
}

/** Runs one command line to its end, with an empty stdin. */
export function maxsim(args: readonly string[], options: CliOptions): Promise<CliResult> {
  const { child, result } = startMaxsim(args, options);
  child.stdin?.end();
  return result;
}

/** Files by path, as text or bytes, with the folders that they need. */
export function writeFiles(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}

/** Records as JSON Lines. */
export function jsonLines(records: readonly object[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join("");
}

/** The name of a test that cannot run everywhere: with the reason where it is skipped. */
export function nameOrReason(name: string, reason: string | undefined): string {
  return reason === undefined ? name : `${name} (skipped: ${reason})`;
}
