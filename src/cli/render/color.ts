/** Colours, where the output is a terminal that wants them. */
import { styleText } from "node:util";

/** What is asked of a stream here: only whether it is a terminal. */
export interface ColorTarget {
  readonly isTTY?: boolean;
}

type Paint = (text: string) => string;

/** Functions that style a text; without colours they return it as it is. */
export interface Colors {
  readonly enabled: boolean;
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly cyan: Paint;
  /** What matches the query in a snippet; unlike yellow, it can be read on white as well. */
  readonly match: Paint;
}

/**
 * Whether to write colours. In this order: FORCE_COLOR (`0` and `false` say no, anything else yes, as Node.js reads
 * it), NO_COLOR (any text says no, https://no-color.org), a dumb terminal, and whether the stream is a terminal.
 */
export function wantsColor(stream: ColorTarget, env: NodeJS.ProcessEnv): boolean {
  const force = env.FORCE_COLOR;
  if (force !== undefined) return force !== "0" && force !== "false";
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== "") return false;
  if (env.TERM === "dumb") return false;
  return stream.isTTY === true;
}

/** The styles for one stream. */
export function createColors(stream: ColorTarget, env: NodeJS.ProcessEnv): Colors {
  const enabled = wantsColor(stream, env);
  const paint = (format: Parameters<typeof styleText>[0]): Paint =>
    // The decision is made here: styleText would otherwise look at the streams of the process.
    enabled ? (text) => styleText(format, text, { validateStream: false }) : (text) => text;
  return {
    enabled,
    bold: paint("bold"),
    dim: paint("dim"),
    red: paint("red"),
    green: paint("green"),
    yellow: paint("yellow"),
    cyan: paint("cyan"),
    match: paint(["bold", "magenta"]),
  };
}
