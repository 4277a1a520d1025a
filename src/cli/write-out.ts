/** Output of any length: written as fast as it is read, and interruptible. */
import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { throwIfAborted } from "../common/abort.js";
import type { CommandContext } from "./context.js";

/** UTF-16 code units that are written at once. */
const CHUNK = 1 << 16;

/** Writes the texts to stdout. Errors: ABORTED. */
export async function writeOut(texts: Iterable<string>, context: CommandContext): Promise<void> {
  let chunk = "";
  for (const text of texts) {
    chunk += text;
    if (chunk.length < CHUNK) continue;
    if (!context.stdout.write(chunk)) await once(context.stdout, "drain");
    chunk = "";
    // Where nothing is waited for, this lets a signal in.
    await setImmediate();
    throwIfAborted(context.signal, "the output");
  }
  context.stdout.write(chunk);
}
