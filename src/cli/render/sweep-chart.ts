/** The drawing of a sweep: quality against time, as an SVG that needs nothing else. */
import type { SweepPoint, SweepResult } from "../actions/eval-sweep-points.js";
import { linearAxis, timeAxis } from "./chart-axis.js";
import { formatMilliseconds } from "./evaluation.js";
import { formatCount, formatNumber } from "./format.js";

const WIDTH = 920;
const HEIGHT = 540;
const PLOT = { left: 84, right: 680, top: 78, bottom: 474 };
const RADIUS = 5;
const FONT = 12;
/** Of a metric, on its axis: smaller differences are hardly ever real. */
const LEAST_SPAN = 0.02;
/** Width of a character of the font, on average, in its size. */
const CHARACTER = 0.56;

/** Colours that people with any colour vision tell apart (Okabe and Ito); shapes say the same. */
const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#444444"];
const SHAPES = ["circle", "square", "triangle", "diamond"] as const;

interface Mark {
  readonly point: SweepPoint;
  readonly x: number;
  readonly y: number;
  /** Of its series. */
  readonly series: number;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Points that nothing faster beats are joined by a line and named. */
export function renderSweepChart(result: SweepResult): string {
  const { metric, points, k } = result;
  const value = (point: SweepPoint): number => point.metrics.get(metric) ?? 0;
  const x = timeAxis(
    points.map(({ latency }) => latency.p50),
    PLOT.left,
    PLOT.right,
  );
  const y = linearAxis(points.map(value), PLOT.bottom, PLOT.top, LEAST_SPAN);
  const series = [...new Set(points.map((point) => point.series))];
  const marks = points.map((point): Mark => {
    const place = { x: x.place(point.latency.p50), y: y.place(value(point)) };
    return { point, ...place, series: series.indexOf(point.series) };
  });
  const best = marks.filter(({ point }) => point.best).sort((a, b) => a.x - b.x);
  const { left, right, top, bottom } = PLOT;
  const parts = [
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(left, 34, `${metric} against time: ${nameOf(result)}`, { size: 18, weight: 600 }),
    text(left, 56, subtitleOf(result), { size: FONT, fill: "#666666" }),
    ...y.ticks.flatMap((tick) => [
      `<line x1="${left}" x2="${right}" y1="${round(y.place(tick))}" y2="${round(y.place(tick))}" stroke="#e6e6e6"/>`,
      text(left - 10, y.place(tick) + 4, tick.toFixed(y.digits), { anchor: "end", fill: "#555555" }),
    ]),
    ...x.ticks.flatMap((tick) => [
      `<line x1="${round(x.place(tick))}" x2="${round(x.place(tick))}" y1="${top}" y2="${bottom}" stroke="#f0f0f0"/>`,
      text(x.place(tick), bottom + 20, String(Number(tick.toPrecision(6))), {
        anchor: "middle",
        fill: "#555555",
      }),
    ]),
    `<path d="M${left} ${top}V${bottom}H${right}" fill="none" stroke="#999999"/>`,
    text(
      (left + right) / 2,
      bottom + 44,
      `median milliseconds a search for ${formatNumber(k)} documents, without encoding`,
      {
        anchor: "middle",
      },
    ),
    `<text transform="translate(20 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeXml(metric)}</text>`,
    frontierLine(best),
    ...marks.map(markOf),
    ...labels(best, marks),
    ...legend(series),
  ];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
    `role="img" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="${FONT}" fill="#222222">\n` +
    `<title>${escapeXml(`${metric} against time: ${nameOf(result)}`)}</title>\n${parts.join("\n")}\n</svg>\n`
  );
}

function nameOf({ collection, split }: SweepResult): string {
  return split === undefined ? collection : `${collection} (${split})`;
}

function subtitleOf({ queries, documents, points }: SweepResult): string {
  const timed = formatNumber(points[0]?.latency.queries ?? 0);
  return `${formatCount(documents, "document")}, ${formatCount(queries, "query", "queries")}, times of ${timed}; the line joins what nothing faster beats`;
}

/** Steps: between two points the slower one has to be paid for before anything is gained. */
function frontierLine(best: readonly Mark[]): string {
  const [first, ...rest] = best;
  if (first === undefined) return "";
  const steps = rest.map(({ x, y }) => `H${round(x)}V${round(y)}`).join("");
  const path = `M${round(first.x)} ${round(first.y)}${steps}H${PLOT.right}`;
  return `<path d="${path}" fill="none" stroke="#888888" stroke-width="1.5" stroke-dasharray="5 4"/>`;
}

function markOf({ point, x, y, series }: Mark): string {
  const { label, metrics, latency } = point;
  const values = [...metrics].map(([name, value]) => `${name} ${value.toFixed(4)}`).join(", ");
  const title = `${label}\n${values}\np50 ${formatMilliseconds(latency.p50)} ms, p95 ${formatMilliseconds(latency.p95)} ms`;
  return shape(series, x, y, point.best, `<title>${escapeXml(title)}</title>`);
}

/** Filled where it is one of the best. */
function shape(series: number, x: number, y: number, filled: boolean, content = ""): string {
  const color = COLORS[series % COLORS.length]!;
  const style = `fill="${filled ? color : "#ffffff"}" stroke="${color}" stroke-width="2"`;
  const [cx, cy, r] = [round(x), round(y), RADIUS];
  switch (SHAPES[series % SHAPES.length]!) {
    case "circle":
      return `<circle cx="${cx}" cy="${cy}" r="${r}" ${style}>${content}</circle>`;
    case "square":
      return `<rect x="${round(x - r + 0.5)}" y="${round(y - r + 0.5)}" width="${2 * r - 1}" height="${2 * r - 1}" ${style}>${content}</rect>`;
    case "triangle":
      return `<path d="M${cx} ${round(y - r)}l${r} ${2 * r - 1}h${-2 * r}z" ${style}>${content}</path>`;
    case "diamond":
      return `<path d="M${cx} ${round(y - r - 1)}l${r + 1} ${r + 1}l${-r - 1} ${r + 1}l${-r - 1} ${-r - 1}z" ${style}>${content}</path>`;
  }
}

/** Names beside the best points, where there is room for them. */
function labels(best: readonly Mark[], marks: readonly Mark[]): string[] {
  const size = FONT - 1;
  const taken: Box[] = marks.map(({ x, y }) => boxAround(x, y, RADIUS + 2));
  const placed: string[] = [];
  for (const { point, x, y } of best) {
    const width = point.label.length * size * CHARACTER;
    const sides = [
      { left: x + 10, base: y + 16, anchor: "start" },
      { left: x - 10 - width, base: y - 8, anchor: "end" },
      { left: x + 10, base: y + 4, anchor: "start" },
      { left: x + 10, base: y + 30, anchor: "start" },
      { left: x - 10 - width, base: y + 18, anchor: "end" },
    ];
    const free = sides.find(({ left, base }) => {
      const box = { left, right: left + width, top: base - size, bottom: base + 3 };
      const inside =
        box.left > PLOT.left + 2 && box.right < PLOT.right && box.top > PLOT.top && box.bottom < PLOT.bottom;
      return inside && !taken.some((other) => overlaps(box, other));
    });
    // Without room: the drawing still tells it where one points at the mark, and the table has it.
    if (free === undefined) continue;
    taken.push({ left: free.left, right: free.left + width, top: free.base - size, bottom: free.base + 3 });
    const at = free.anchor === "end" ? free.left + width : free.left;
    placed.push(text(at, free.base, point.label, { size, anchor: free.anchor, fill: "#333333", halo: true }));
  }
  return placed;
}

function boxAround(x: number, y: number, r: number): Box {
  return { left: x - r, right: x + r, top: y - r, bottom: y + r };
}

function overlaps(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function legend(series: readonly string[]): string[] {
  const left = PLOT.right + 30;
  return series.flatMap((name, i) => {
    const y = PLOT.top + 12 + i * 24;
    return [shape(i, left, y, true), text(left + 14, y + 4, name)];
  });
}

interface TextStyle {
  readonly size?: number;
  readonly weight?: number;
  readonly anchor?: string;
  readonly fill?: string;
  /** White around the letters, where they may cross a line. */
  readonly halo?: boolean;
}

function text(x: number, y: number, content: string, style: TextStyle = {}): string {
  const attributes = [
    style.size === undefined ? "" : ` font-size="${style.size}"`,
    style.weight === undefined ? "" : ` font-weight="${style.weight}"`,
    style.anchor === undefined ? "" : ` text-anchor="${style.anchor}"`,
    style.fill === undefined ? "" : ` fill="${style.fill}"`,
    style.halo === true ? ' paint-order="stroke" stroke="#ffffff" stroke-width="3"' : "",
  ].join("");
  return `<text x="${round(x)}" y="${round(y)}"${attributes}>${escapeXml(content)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Characters that XML does not have become U+FFFD. */
function escapeXml(content: string): string {
  return content
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
