/** Steps of similarity on a terminal: as backgrounds, or as digits where there are no colours. */
import { WriteStream } from "node:tty";
import { type ColorTarget, wantsColor } from "../color.js";
import { STEPS } from "./scale.js";

export interface Heat {
  /** False where steps have to be told by digits. */
  readonly enabled: boolean;
  readonly paint: (text: string, step: number) => string;
}

/**
 * Black on backgrounds from pale to strong, which are seen on dark and on light terminals alike; what matches weakly is
 * underlined only. SGR parameters by step: of the 256 colours of xterm, and of the 16 that themes define.
 */
const COLORS_256 = [
  "",
  "4",
  "4",
  "48;5;187;38;5;16",
  "48;5;222;38;5;16",
  "48;5;215;38;5;16",
  "48;5;208;38;5;16",
  "48;5;203;38;5;16",
];
const COLORS_16 = ["", "4", "4", "46;30", "46;30", "43;30", "43;30", "41;97"];

/** No heat without colours; see `wantsColor`. */
export function createHeat(stream: ColorTarget, env: NodeJS.ProcessEnv): Heat {
  if (!wantsColor(stream, env)) return { enabled: false, paint: (text) => text };
  // Node.js warns of the two variables together; here it is decided which one counts.
  const { NO_COLOR: _no, ...rest } = env;
  const codes = WriteStream.prototype.getColorDepth(rest) >= 8 ? COLORS_256 : COLORS_16;
  return {
    enabled: true,
    paint: (text, step) => {
      const code = codes[Math.min(step, STEPS - 1)] ?? "";
      return code === "" || text === "" ? text : `\u001b[${code}m${text}\u001b[0m`;
    },
  };
}

/**
 * Whether the terminal takes characters beyond ASCII: what the locale says, as the C library looks for it. Windows
 * knows no locale in the environment; its consoles take Unicode.
 */
export function takesUnicode(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): boolean {
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== "");
  if (locale === undefined) return platform === "win32" || platform === "darwin";
  return /utf-?8/i.test(locale);
}
