/** What a stream of bytes may hold: records, or one text. */
export const STREAM_FORMATS = ["jsonl", "csv", "tsv", "text", "markdown", "html", "rst", "code"] as const;

export type StreamFormat = (typeof STREAM_FORMATS)[number];
