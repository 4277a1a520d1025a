/**
 * How a tokenizer joins a query and a document: read from the `post_processor` of tokenizer.json, so that BERT
 * (`[CLS] q [SEP] d [SEP]`, token types 0 and 1), RoBERTa (`<s> q </s></s> d </s>`) and all others come out as trained.
 */
import * as z from "zod/mini";
import { describe } from "../common/check.js";
import { invalidModel } from "./model-folder.js";

/** One stretch of a pair. `type` is its token type id. */
export type PairPiece =
  | { readonly kind: "special"; readonly ids: readonly number[]; readonly type: number }
  | { readonly kind: "query" | "document"; readonly type: number };

/** In the order of positions; query and document once each. */
export type PairTemplate = readonly PairPiece[];

const id = z.int().check(z.nonnegative());
const processorShape = z.looseObject({ type: z.string() });
const sequenceShape = z.looseObject({ processors: z.array(processorShape) });
/** A token's text and id. */
const tokenShape = z.tuple([z.string(), id]);
const bertShape = z.looseObject({ sep: tokenShape, cls: tokenShape });
const named = z.looseObject({ id: z.string(), type_id: id });
const templateShape = z.looseObject({
  pair: z.array(z.union([z.looseObject({ SpecialToken: named }), z.looseObject({ Sequence: named })])),
  special_tokens: z.record(z.string(), z.looseObject({ ids: z.array(id) })),
});

const HINT = "Save the tokenizer of the cross-encoder again: a fast tokenizer's save_pretrained writes it.";

/**
 * The first processor that joins pairs; others of a sequence (ByteLevel) only move offsets. `file` is for messages.
 * @throws MaxsimError MODEL_INVALID when there is none, or it is not what it must be.
 */
export function readPairTemplate(file: string, postProcessor: unknown): PairTemplate {
  const found: string[] = [];
  for (const processor of processorsOf(file, postProcessor)) {
    const template = templateOf(file, processor);
    if (template !== undefined) return template;
    found.push(processor.type);
  }
  throw invalidModel(
    file,
    "must have a post_processor that joins two texts (TemplateProcessing, BertProcessing or RobertaProcessing), " +
      `found ${found.join(", ") || "none"}`,
    HINT,
  );
}

/** Positions that are neither query nor document. */
export function specialPositions(template: PairTemplate): number {
  return template.reduce((sum, piece) => sum + (piece.kind === "special" ? piece.ids.length : 0), 0);
}

type Processor = z.infer<typeof processorShape>;

function processorsOf(file: string, value: unknown): readonly Processor[] {
  if (value === undefined || value === null) return [];
  const processor = parse(file, processorShape, value);
  return processor.type === "Sequence" ? parse(file, sequenceShape, value).processors : [processor];
}

function templateOf(file: string, processor: Processor): PairTemplate | undefined {
  switch (processor.type) {
    case "TemplateProcessing":
      return fromTemplate(file, parse(file, templateShape, processor));
    case "BertProcessing": {
      const { cls, sep } = parse(file, bertShape, processor);
      return [
        { kind: "special", ids: [cls[1]], type: 0 },
        { kind: "query", type: 0 },
        { kind: "special", ids: [sep[1]], type: 0 },
        { kind: "document", type: 1 },
        { kind: "special", ids: [sep[1]], type: 1 },
      ];
    }
    case "RobertaProcessing": {
      const { cls, sep } = parse(file, bertShape, processor);
      return [
        { kind: "special", ids: [cls[1]], type: 0 },
        { kind: "query", type: 0 },
        { kind: "special", ids: [sep[1], sep[1]], type: 0 },
        { kind: "document", type: 0 },
        { kind: "special", ids: [sep[1]], type: 0 },
      ];
    }
    default:
      return undefined;
  }
}

function fromTemplate(file: string, { pair, special_tokens }: z.infer<typeof templateShape>): PairTemplate {
  const pieces = pair.map((piece): PairPiece => {
    const { SpecialToken: special, Sequence: sequence } = piece as Partial<
      Record<"SpecialToken" | "Sequence", z.infer<typeof named>>
    >;
    if (special === undefined) {
      const kind = sequence?.id === "A" ? "query" : "document";
      return { kind, type: sequence?.type_id ?? 0 };
    }
    const known = special_tokens[special.id];
    if (known === undefined) {
      throw invalidModel(file, `has a post_processor with the unknown special token ${describe(special.id)}`);
    }
    return { kind: "special", ids: known.ids, type: special.type_id };
  });
  const count = (kind: PairPiece["kind"]): number => pieces.filter((piece) => piece.kind === kind).length;
  if (count("query") !== 1 || count("document") !== 1) {
    throw invalidModel(
      file,
      "must have a post_processor whose template for pairs has both texts once, " +
        `found the first ${count("query")} and the second ${count("document")} times`,
      HINT,
    );
  }
  return pieces;
}

function parse<T>(file: string, schema: z.ZodMiniType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw invalidModel(
    file,
    `has an unexpected value at ${["post_processor", ...(issue?.path ?? [])].join(".")}: ${issue?.message ?? "wrong shape"}`,
    HINT,
  );
}
