// The suites of the benchmark command: a file each in ../suites, which exports `options` and `run`.

/** Names and what they measure, in the order of --help. */
export const SUITES = [
  { name: "kernels", summary: "nanoseconds a token of each kernel, hot and cold, on each instruction set" },
  { name: "stages", summary: "milliseconds of each search stage, what it saw and kept" },
  { name: "query", summary: "latency and recall of searches, of several settings, beside other engines" },
  { name: "filter", summary: "searches with a filter beside those without, warm and cold" },
  { name: "router", summary: "finding the nearest centroids: scan against graph" },
  { name: "concurrent", summary: "throughput with several callers" },
  { name: "build", summary: "building an index: seconds by stage, memory, bytes a token by part" },
  { name: "update", summary: "adding, deleting, updating and merging in a large index" },
  { name: "codec", summary: "clustering and quantizers: seconds and recall" },
  { name: "memory", summary: "memory of processes that search, beyond mapped files" },
  { name: "scale", summary: "latency, opening, building and memory at 100,000 to 1,000,000 passages" },
  { name: "encode", summary: "tokens a second of the encoder, against a bare loop over the runtime" },
  { name: "rerank", summary: "late reranking of 100 passages, encoded and from stored vectors" },
  { name: "cold", summary: "a search on the command line in a new process" },
];

/** Options of every suite. */
export const SHARED_OPTIONS = {
  json: { type: "string", describe: "file to write the results to, as JSON with raw numbers" },
  help: { type: "flag", default: false, describe: "show this" },
};
