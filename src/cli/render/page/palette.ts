/** Colours of the page, for light and dark; text on any of them has a contrast of at least 4.5. */

export interface Palette {
  readonly paper: string;
  readonly card: string;
  readonly ink: string;
  readonly muted: string;
  readonly line: string;
  readonly accent: string;
  /** Backgrounds of the steps 1, 2, ... */
  readonly steps: readonly string[];
}

/** The stronger, the further from the paper: darker on white, brighter on black. */
export const LIGHT: Palette = {
  paper: "#f6f5f2",
  card: "#ffffff",
  ink: "#1d1f24",
  muted: "#5c6069",
  line: "#dfddd6",
  accent: "#1f5fbf",
  steps: ["#fff6dc", "#ffeab0", "#ffd777", "#ffb84d", "#f58f3c", "#d9512f", "#a3202f"],
};

export const DARK: Palette = {
  paper: "#121316",
  card: "#1b1d21",
  ink: "#e8e6e1",
  muted: "#a3a7b0",
  line: "#34373e",
  accent: "#8ab4f8",
  steps: ["#2b2522", "#432f22", "#6a4220", "#96591e", "#c87a22", "#f0a53c", "#ffdc8c"],
};

const ON_LIGHT = "#141414";
const ON_DARK = "#ffffff";

/** The darker or the lighter text, whichever is easier to read. */
export function textOn(background: string): string {
  return contrast(ON_LIGHT, background) >= contrast(ON_DARK, background) ? ON_LIGHT : ON_DARK;
}

/** WCAG 2.2, 1 to 21, for colours such as `#a3202f`. */
export function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

function luminance(color: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Custom properties: `--ink` and so on, `--s1` for the background of step 1 and `--t1` for text on it. */
export function paletteCss({ steps, ...named }: Palette): string {
  const properties = [
    ...Object.entries(named).map(([name, color]) => `--${name}:${color}`),
    ...steps.flatMap((color, i) => [`--s${i + 1}:${color}`, `--t${i + 1}:${textOn(color)}`]),
  ];
  return properties.join(";");
}
