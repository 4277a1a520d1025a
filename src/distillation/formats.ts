/**
 * The lines of training data, JSON Lines that `datasets.load_dataset("json", ...)` reads.
 *
 * Sentence Transformers (sbert.net, "Training Overview", "Dataset Format"): a column called label, labels, score or scores is the label;
 * all others are inputs, whose order counts and not their names. So no row has more columns than its loss takes:
 *
 *   pairs      anchor, positive                                   MultipleNegativesRankingLoss
 *   triplets   anchor, positive, negative                         MultipleNegativesRankingLoss, TripletLoss
 *   n-tuples   anchor, positive, negative_1, ..., negative_n, scores   MarginMSELoss, DistillKLDivLoss (scores: the teacher's, of the
 *              positive and of each negative); MultipleNegativesRankingLoss does not look at them
 *   scored     query, passage, score of 0 to 1                    CoSENTLoss, CosineSimilarityLoss, and cross-encoders
 *   margins    query, positive, negative, label: the teacher's score of the positive minus that of the negative; MarginMSELoss
 *
 * PyLate takes a column for a query where its name has "query" or "anchor" in it (utils/collator.py), so "triplets" serve its
 * contrastive loss too. Its distillation reads three data sets (utils/processing.py, KDProcessing):
 *
 *   kd/train.jsonl       query_id, document_ids, scores: both lists, as long in every row, since labels become one tensor
 *   kd/queries.jsonl     query_id, text
 *   kd/documents.jsonl   document_id, text
 */
import type { Example, GradedCandidate } from "./examples.js";
import { passageId, type TrainingTexts } from "./training-texts.js";
import type { TrainingFormat } from "./types.js";

export interface FormatInput {
  readonly examples: readonly Example[];
  readonly texts: TrainingTexts;
  /** Negatives of a row of "n-tuples". */
  readonly negatives: number;
  /** Grade of 0 to 1 of a teacher's score. */
  readonly gradeOf: (score: number) => number;
  /** Rows of "kd". */
  readonly lists: ReadonlyArray<{
    readonly example: Example;
    readonly documents: readonly GradedCandidate[];
  }>;
}

/** A file of a format: its path below the folder of the training data, and its lines, each ended by a line break. */
export interface TrainingFile {
  readonly name: string;
  readonly lines: () => Iterable<string>;
}

export const QUERIES_NAME = "queries.jsonl";

/** The files of a format. */
export function trainingFiles(format: TrainingFormat, input: FormatInput): TrainingFile[] {
  switch (format) {
    case "pairs":
      return [{ name: "pairs.jsonl", lines: () => pairs(input) }];
    case "triplets":
      return [{ name: "triplets.jsonl", lines: () => triplets(input) }];
    case "n-tuples":
      return [{ name: "n-tuples.jsonl", lines: () => tuples(input) }];
    case "scored":
      return [{ name: "scored.jsonl", lines: () => scored(input) }];
    case "margins":
      return [{ name: "margins.jsonl", lines: () => margins(input) }];
    case "kd":
      return [
        { name: "kd/train.jsonl", lines: () => kdTrain(input) },
        { name: "kd/queries.jsonl", lines: () => kdQueries(input) },
        { name: "kd/documents.jsonl", lines: () => kdDocuments(input) },
      ];
  }
}

/** All queries as BEIR has them, with the documents that they were made from. */
export function* queryLines(examples: readonly Example[]): Generator<string> {
  for (const { query } of examples) {
    const sources = query.sources === undefined ? {} : { metadata: { sources: query.sources } };
    yield line({ _id: query.id, text: query.text, ...sources });
  }
}

function* pairs({ examples, texts }: FormatInput): Generator<string> {
  for (const { query, positive } of examples)
    yield line({ anchor: query.text, positive: texts.text(positive) });
}

function* triplets({ examples, texts }: FormatInput): Generator<string> {
  for (const { query, positive, negatives } of examples) {
    for (const negative of negatives) {
      yield line({ anchor: query.text, positive: texts.text(positive), negative: texts.text(negative) });
    }
  }
}

function* tuples({ examples, texts, negatives: wanted }: FormatInput): Generator<string> {
  for (const { query, positive, negatives } of examples) {
    if (negatives.length < wanted) continue;
    const columns = negatives.map((negative, i) => [`negative_${i + 1}`, texts.text(negative)]);
    yield line({
      anchor: query.text,
      positive: texts.text(positive),
      ...Object.fromEntries(columns),
      scores: [positive, ...negatives].map(({ score }) => score),
    });
  }
}

function* scored({ examples, texts, gradeOf }: FormatInput): Generator<string> {
  for (const { query, ranked } of examples) {
    for (const candidate of ranked) {
      yield line({ query: query.text, passage: texts.text(candidate), score: gradeOf(candidate.score) });
    }
  }
}

function* margins({ examples, texts }: FormatInput): Generator<string> {
  for (const { query, positive, negatives } of examples) {
    for (const negative of negatives) {
      yield line({
        query: query.text,
        positive: texts.text(positive),
        negative: texts.text(negative),
        label: positive.score - negative.score,
      });
    }
  }
}

function* kdTrain({ lists }: FormatInput): Generator<string> {
  for (const { example, documents } of lists) {
    yield line({
      query_id: example.query.id,
      document_ids: documents.map(passageId),
      scores: documents.map(({ score }) => score),
    });
  }
}

function* kdQueries({ lists }: FormatInput): Generator<string> {
  for (const { example } of lists) yield line({ query_id: example.query.id, text: example.query.text });
}

/** Each passage once, where it is first named. */
function* kdDocuments({ lists, texts }: FormatInput): Generator<string> {
  const written = new Set<string>();
  for (const { documents } of lists) {
    for (const document of documents) {
      const id = passageId(document);
      if (written.has(id)) continue;
      written.add(id);
      yield line({ document_id: id, text: texts.text(document) });
    }
  }
}

type Value = string | number | readonly string[] | readonly number[] | { readonly [name: string]: Value };

function line(row: Readonly<Record<string, Value>>): string {
  return `${json(row)}\n`;
}

/**
 * JSON that Arrow reads as one type a column: numbers always with a point, or a column of whole scores would be integers; and no half
 * of a surrogate pair, which it refuses.
 */
function json(value: Value): string {
  if (typeof value === "string") return JSON.stringify(value.replace(/\p{Cs}/gu, "\ufffd"));
  if (typeof value === "number") return Number.isInteger(value) ? value.toFixed(1) : String(value);
  if (Array.isArray(value)) return `[${(value as readonly Value[]).map(json).join(", ")}]`;
  const fields = Object.entries(value).map(([name, field]) => `${JSON.stringify(name)}: ${json(field)}`);
  return `{${fields.join(", ")}}`;
}
