/** Questions from a terminal, one a line, until an empty line or the end of the input. */
import { createInterface } from "node:readline/promises";
import type { CommandContext } from "./context.js";

/** Prompts on stderr and hands each question to `answer`. */
export async function converse(
  context: CommandContext,
  answer: (question: string) => Promise<void>,
): Promise<void> {
  const terminal = createInterface({ input: context.stdin, output: context.stderr, prompt: "? " });
  try {
    terminal.prompt();
    for await (const line of terminal) {
      const question = line.trim();
      if (question === "") return;
      await answer(question);
      terminal.prompt();
    }
    // The input ended in the line of the prompt.
    context.stderr.write("\n");
  } finally {
    terminal.close();
  }
}
