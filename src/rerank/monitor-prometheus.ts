/** Counts of rerankers in Prometheus' text exposition format, version 0.0.4. */
import type { ValueHistogram } from "./monitor-histogram.js";
import type { Mean, RerankerSeries } from "./monitor-series.js";

/** Content type of the text. */
export const PROMETHEUS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

type Labels = Readonly<Record<string, string>>;

/** A line of a family: what follows the family's name, labels beside those of the reranker, value. */
type Sample = readonly [suffix: string, labels: Labels, value: number];

interface Family {
  readonly name: string;
  readonly type: "counter" | "histogram" | "summary";
  readonly help: string;
  readonly samples: (series: RerankerSeries) => readonly Sample[];
}

const QUANTILES = [0.01, 0.1, 0.5, 0.9, 0.99] as const;

function counter(name: string, help: string, value: (series: RerankerSeries) => number): Family {
  return { name, type: "counter", help, samples: (series) => [["", {}, value(series)]] };
}

function sumAndCount({ sum, count }: { sum: number; count: number }, labels: Labels = {}): Sample[] {
  return [
    ["_sum", labels, sum],
    ["_count", labels, count],
  ];
}

function quantiles(values: ValueHistogram): Sample[] {
  const lines = QUANTILES.map((q): Sample => ["", { quantile: String(q) }, values.quantile(q)]);
  return [...lines, ...sumAndCount(values)];
}

function means(name: string, help: string, of: (series: RerankerSeries) => Mean): Family {
  return { name, type: "summary", help, samples: (series) => sumAndCount(of(series)) };
}

const FAMILIES: readonly Family[] = [
  counter("requests_total", "Requests, those that failed included.", ({ requests }) => requests),
  {
    name: "failures_total",
    type: "counter",
    help: "Requests that were refused or failed, by the code of the error.",
    samples: ({ failures }) => [...failures].map(([code, count]): Sample => ["", { code }, count]),
  },
  counter(
    "unranked_total",
    "Requests that came back in the order of the first stage.",
    ({ unranked }) => unranked,
  ),
  counter("warnings_total", "Warnings of requests.", ({ warnings }) => warnings),
  counter("documents_total", "Documents of requests.", ({ documents }) => documents),
  {
    name: "duration_seconds",
    type: "histogram",
    help: "Wall clock of requests with documents that did not fail.",
    samples: ({ seconds }) => [
      ...seconds.cumulative().map((count, i): Sample => {
        return ["_bucket", { le: String(seconds.bounds[i]) }, count];
      }),
      ["_bucket", { le: "+Inf" }, seconds.count],
      ...sumAndCount(seconds),
    ],
  },
  {
    name: "scores",
    type: "summary",
    help: "Scores of all documents that came back. Quantiles since the start, within 1 %.",
    samples: ({ scores }) => quantiles(scores),
  },
  {
    name: "top_scores",
    type: "summary",
    help: "Score of the best document of a request. Quantiles since the start, within 1 %.",
    samples: ({ topScores }) => quantiles(topScores),
  },
  {
    name: "displacement_places",
    type: "summary",
    help: "How far the documents of the first places, or of all, were from there in the order of before.",
    samples: ({ top, moved }) => [
      ...[...top].flatMap(([places, mean]) => sumAndCount(mean, { top: String(places) })),
      ...sumAndCount(moved, { top: "all" }),
    ],
  },
  means("new_first_ratio", "1 where another document is the first, else 0.", ({ newFirst }) => newFirst),
  means(
    "top10_kept_ratio",
    "Share of the first ten that were among the first ten before, of requests with more than ten documents.",
    ({ topKept }) => topKept,
  ),
  means(
    "discordant_pairs_ratio",
    "Share of pairs of documents whose order changed; Kendall's tau is 1 - 2 x.",
    ({ discordant }) => discordant,
  ),
  counter("documents_scored_total", "Documents that were scored.", ({ usage }) => usage.scored),
  counter("documents_cached_total", "Documents whose scores came from the cache.", ({ usage }) => {
    return usage.cached;
  }),
  counter("service_requests_total", "Calls of remote services, retries included.", ({ usage }) => {
    return usage.requests;
  }),
  counter("input_tokens_total", "Tokens read by remote services.", ({ usage }) => usage.inputTokens),
  counter("output_tokens_total", "Tokens written by remote services.", ({ usage }) => usage.outputTokens),
  counter("search_units_total", "Search units billed by Cohere.", ({ usage }) => usage.searchUnits),
  counter("cost_total", "Cost in the currency of the prices that were given.", ({ usage }) => usage.cost),
];

/** One line a sample, each family with its HELP and TYPE; names begin with `maxsim_rerank_`. */
export function prometheusText(all: readonly RerankerSeries[]): string {
  const lines: string[] = [];
  for (const { name, type, help, samples } of FAMILIES) {
    const full = `maxsim_rerank_${name}`;
    lines.push(`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`);
    for (const series of all) {
      for (const [suffix, labels, value] of samples(series)) {
        const { reranker, model } = series;
        lines.push(`${full}${suffix}${labelText({ reranker, model, ...labels })} ${numberText(value)}`);
      }
    }
  }
  return `${lines.join("\n")}\n`;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => {
    const escaped = value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
    return `${name}="${escaped}"`;
  });
  return `{${pairs.join(",")}}`;
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}
