/** The vocabulary of a `tokenizer.json`: which token has which id, without building the tokenizer. */
import * as z from "zod/mini";
import { describe } from "../common/check.js";
import { invalidModel, type ModelFolder } from "./model-folder.js";

const tokenizerShape = z.looseObject({
  model: z.looseObject({
    // Checked by hand below: a schema over a hundred thousand entries takes longer than reading the file.
    vocab: z.unknown(),
    unk_token: z.optional(z.nullable(z.string())),
    unk_id: z.optional(z.nullable(z.number())),
  }),
  added_tokens: z.optional(z.array(z.looseObject({ id: z.number(), content: z.string() }))),
});

/** Token to id (WordPiece, BPE), or `[token, score]` in the order of ids (Unigram). */
function readVocabulary(file: string, vocab: unknown): Map<string, number> {
  const ids = new Map<string, number>();
  const add = (token: unknown, id: unknown): void => {
    if (typeof token !== "string" || typeof id !== "number" || !Number.isSafeInteger(id) || id < 0) {
      throw invalidModel(
        file,
        `must map tokens to ids in model.vocab, found ${describe(token)}: ${describe(id)}`,
      );
    }
    ids.set(token, id);
  };
  if (Array.isArray(vocab)) {
    for (const [id, entry] of vocab.entries()) add(Array.isArray(entry) ? entry[0] : entry, id);
  } else if (typeof vocab === "object" && vocab !== null) {
    for (const [token, id] of Object.entries(vocab)) add(token, id);
  }
  if (ids.size === 0) throw invalidModel(file, `must have tokens in model.vocab, found ${describe(vocab)}`);
  return ids;
}

export class Vocabulary {
  private readonly ids: Map<string, number>;
  /** Made when it is first asked for. */
  private texts: Map<number, string> | undefined;
  private readonly added: ReadonlySet<string>;
  readonly unknownId: number | undefined;

  private constructor(
    ids: Map<string, number>,
    added: ReadonlySet<string>,
    readonly file: string,
    unknown: number | string | undefined,
  ) {
    this.ids = ids;
    this.added = added;
    this.unknownId = typeof unknown === "string" ? ids.get(unknown) : unknown;
  }

  static async read(folder: ModelFolder): Promise<Vocabulary> {
    const file = folder.file("tokenizer.json");
    const json = await folder.readJson("tokenizer.json", tokenizerShape);
    if (json === undefined) {
      throw invalidModel(
        folder.path,
        "must contain tokenizer.json, found none",
        "Export the tokenizer in the format of the tokenizers library (a fast tokenizer's save_pretrained writes it).",
      );
    }
    const { vocab, unk_token, unk_id } = json.model;
    const ids = readVocabulary(file, vocab);
    const added = json.added_tokens ?? [];
    for (const token of added) ids.set(token.content, token.id);
    return new Vocabulary(ids, new Set(added.map((t) => t.content)), file, unk_token ?? unk_id ?? undefined);
  }

  idOf(token: string): number | undefined {
    return this.ids.get(token);
  }

  tokenOf(id: number): string | undefined {
    this.texts ??= new Map(Array.from(this.ids, ([text, id]) => [id, text]));
    return this.texts.get(id);
  }

  /** The longest added token that `text` starts with. */
  leadingAddedToken(text: string): string | undefined {
    let best: string | undefined;
    for (const token of this.added) {
      if (token !== "" && text.startsWith(token) && token.length > (best?.length ?? 0)) best = token;
    }
    return best;
  }
}
