/** Reads a model folder of any dialect into one settings object and checks it against vocabulary and graph. */
import { stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import * as z from "zod/mini";
import { ioError, MaxsimError, systemCode } from "../common/errors.js";
import { MAX_DIM, MAX_QUERY_TOKENS } from "../kernels/backend.js";
import { readProjection } from "./dense-weights.js";
import { ONNX_CONFIG, readNextPlaid } from "./dialects/next-plaid.js";
import { readPylate } from "./dialects/pylate.js";
import type { DialectReading, MarkerReading } from "./dialects/reading.js";
import { readSentenceTransformers } from "./dialects/sentence-transformers.js";
import { readStanford } from "./dialects/stanford.js";
import { type ModelGraph, type ModelPrecision, readGraph } from "./graph.js";
import { invalidModel, ModelFolder } from "./model-folder.js";
import { createRawTokenizer } from "./raw-tokenizer.js";
import type { Marker, ModelSettings, QueryExpansion } from "./settings.js";
import { readSpecialTokens, type SpecialTokens } from "./special-tokens.js";
import { Vocabulary } from "./vocabulary.js";

/** Where neither dialect nor model states a limit. */
const DEFAULT_DOCUMENT_LENGTH = 512;

export interface LoadSettingsOptions {
  /** Which graph of the folder to use. Default "auto". */
  readonly precision?: ModelPrecision;
}

/**
 * @throws MaxsimError MODEL_NOT_FOUND when there is no such folder; MODEL_INVALID, naming the file, when something is
 * missing or contradicts something else.
 */
export async function loadModelSettings(
  path: string,
  options: LoadSettingsOptions = {},
): Promise<ModelSettings> {
  const folder = new ModelFolder(resolve(path));
  await checkFolder(folder);
  const reading = await readDialect(folder);
  const vocabulary = await Vocabulary.read(folder);
  const graph = await readGraph(folder, options.precision ?? "auto");
  const special = await readSpecialTokens(folder, vocabulary);
  const projection = await readProjection(folder, graph, reading.dense, reading.dim);
  const notes = [...reading.notes];

  const query = resolvePrompt(vocabulary, reading.queryMarker, reading.queryPrompt);
  const document = resolvePrompt(vocabulary, reading.documentMarker, reading.documentPrompt);
  const queryLength = capQuery("query length", reading.queryLength ?? MAX_QUERY_TOKENS, notes);
  const limit = await maxPositions(folder);
  const documentLength =
    reading.documentLength ?? Math.min(limit ?? DEFAULT_DOCUMENT_LENGTH, DEFAULT_DOCUMENT_LENGTH);
  if (limit !== undefined && documentLength > limit) {
    throw invalidModel(
      folder.file("config.json"),
      `allows ${limit} positions (max_position_embeddings), but the document length is ${documentLength}`,
    );
  }
  return {
    name: reading.name ?? folderName(folder.path),
    folder: folder.path,
    dialect: reading.dialect,
    dim: checkDim(graph, reading, projection.at(-1)?.outFeatures),
    queryLength,
    documentLength,
    queryMarker: query.marker,
    documentMarker: document.marker,
    queryPrompt: query.prompt,
    documentPrompt: document.prompt,
    expansion: resolveExpansion(folder, reading, vocabulary, special, notes),
    skiplist: await resolveSkiplist(folder, reading, vocabulary, notes),
    lowercase: reading.lowercase,
    padTokenId: reading.padTokenId ?? special.padId ?? 0,
    usesTokenTypeIds: graph.usesTokenTypeIds,
    projection,
    graphFile: graph.file,
    tokenizerFile: vocabulary.file,
    notes,
  };
}

/** @throws MaxsimError MODEL_NOT_FOUND when there is no such folder. */
export async function checkFolder(folder: ModelFolder): Promise<void> {
  try {
    if ((await stat(folder.path)).isDirectory()) return;
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw ioError("open", folder.path, error);
  }
  throw new MaxsimError("MODEL_NOT_FOUND", `${folder.path} is not a model folder: there is no such folder`);
}

async function readDialect(folder: ModelFolder): Promise<DialectReading> {
  const trained =
    (await readSentenceTransformers(folder)) ?? (await readPylate(folder)) ?? (await readStanford(folder));
  const exported = await readNextPlaid(folder);
  if (trained === undefined) {
    if (exported !== undefined) return exported;
    throw invalidModel(
      folder.path,
      "must be a ColBERT model, but has none of modules.json with a MultiVectorMask, config_sentence_transformers.json " +
        `with a query_prefix, artifact.metadata or ${ONNX_CONFIG}`,
      "Single-vector embedding models cannot be used: take a ColBERT (late interaction) model.",
    );
  }
  if (exported === undefined) return trained;
  // The trained model's own files know better about expansion and skiplist than those of an exporter.
  const notes =
    (trained.expansion === null) === (exported.expansion === null)
      ? []
      : [
          `${folder.file(ONNX_CONFIG)} turns query expansion ${exported.expansion === null ? "off" : "on"}, ` +
            `the model's own ${trained.dialect} files turn it ${trained.expansion === null ? "off" : "on"}; theirs is used`,
        ];
  return {
    ...trained,
    name: trained.name ?? exported.name,
    queryLength: trained.queryLength ?? exported.queryLength,
    documentLength: trained.documentLength ?? exported.documentLength,
    lowercase: trained.lowercase || exported.lowercase,
    padTokenId: exported.padTokenId,
    notes: [...trained.notes, ...notes],
  };
}

/** Dimension of the vectors that leave the model; what the config, the projection and the graph say must agree. */
function checkDim(graph: ModelGraph, reading: DialectReading, projected: number | undefined): number {
  const found = projected ?? graph.output.shape.at(-1);
  const dim = reading.dim ?? found;
  if (dim === undefined)
    throw invalidModel(graph.file, "must state the dimension of its output, found a symbol");
  if (found !== undefined && found !== dim) {
    const source =
      projected === undefined ? `its output "${graph.output.name}" has` : "after the projection it has";
    throw invalidModel(
      graph.file,
      `must give vectors of ${dim} dimensions as the config says, but ${source} ${found}`,
    );
  }
  if (dim % 8 !== 0 || dim > MAX_DIM) {
    throw invalidModel(
      graph.file,
      `must give vectors of a multiple of 8 dimensions, at most ${MAX_DIM}, found ${dim}`,
    );
  }
  return dim;
}

/** Without a marker of its own, a prompt that starts with an added token has that token as the marker. */
function resolvePrompt(
  vocabulary: Vocabulary,
  reading: MarkerReading | null,
  prompt: string,
): { marker: Marker | null; prompt: string } {
  if (reading !== null) return { marker: resolveMarker(vocabulary, reading), prompt };
  const token = vocabulary.leadingAddedToken(prompt);
  if (token === undefined) return { marker: null, prompt };
  return {
    marker: { text: token, id: vocabulary.idOf(token)! },
    prompt: prompt.slice(token.length).trimStart(),
  };
}

/** The vocabulary may hold the marker with or without the space that prefixes are written with. */
function resolveMarker(vocabulary: Vocabulary, { text, id, file }: MarkerReading): Marker {
  const trimmed = text.trim();
  const found = vocabulary.idOf(text) ?? vocabulary.idOf(trimmed);
  const hint = "The tokenizer is not the one that the model was trained with; download both again.";
  if (found === undefined) {
    throw invalidModel(file, `names the marker "${text}", which ${vocabulary.file} does not have`, hint);
  }
  if (id !== undefined && id !== found) {
    throw invalidModel(
      file,
      `gives the marker "${text}" the id ${id}, but in ${vocabulary.file} it is ${found}`,
      hint,
    );
  }
  return { text: trimmed, id: found };
}

function resolveExpansion(
  folder: ModelFolder,
  reading: DialectReading,
  vocabulary: Vocabulary,
  special: SpecialTokens,
  notes: string[],
): QueryExpansion | null {
  const { expansion } = reading;
  if (expansion === null) return null;
  const { strategy, attend, token } = expansion;
  const length = capQuery("query expansion", expansion.length, notes);
  const tokenId =
    token === undefined ? special.expansionId : typeof token === "string" ? vocabulary.idOf(token) : token;
  if (tokenId === undefined || vocabulary.tokenOf(tokenId) === undefined) {
    throw invalidModel(
      folder.path,
      `expands queries with ${token === undefined ? "a mask token" : `the token ${token}`}, which ${vocabulary.file} does not have`,
    );
  }
  return { strategy, length, attend, tokenId };
}

async function resolveSkiplist(
  folder: ModelFolder,
  reading: DialectReading,
  vocabulary: Vocabulary,
  notes: string[],
): Promise<ReadonlySet<number>> {
  const words = reading.skiplistWords;
  const idOf =
    reading.skiplistLookup === "vocabulary" ? (w: string) => vocabulary.idOf(w) : await firstToken(folder);
  const ids = new Set<number>();
  const dropped: string[] = [];
  for (const word of words) {
    const id = idOf(word);
    if (id === undefined || id === vocabulary.unknownId) dropped.push(word);
    else ids.add(id);
  }
  if (dropped.length > 0) {
    notes.push(
      `${dropped.length} of ${words.length} skiplist words are not in the vocabulary and are ignored: ${dropped.slice(0, 5).join(" ")}`,
    );
  }
  return ids;
}

async function firstToken(folder: ModelFolder): Promise<(word: string) => number | undefined> {
  const json = await folder.readJson("tokenizer.json", z.looseObject({}));
  const tokenizer = createRawTokenizer(json ?? {});
  return (word) => tokenizer.encode(word, { add_special_tokens: false }).ids[0];
}

function capQuery(what: string, length: number, notes: string[]): number {
  if (length <= MAX_QUERY_TOKENS) return length;
  notes.push(
    `the ${what} of ${length} positions is cut to ${MAX_QUERY_TOKENS}, the most that a search scores`,
  );
  return MAX_QUERY_TOKENS;
}

async function maxPositions(folder: ModelFolder): Promise<number | undefined> {
  const shape = z.looseObject({ max_position_embeddings: z.optional(z.nullable(z.number())) });
  return (await folder.readJson("config.json", shape))?.max_position_embeddings ?? undefined;
}

/** In a download cache the folder is `models--org--name/snapshots/<commit>`, elsewhere its own name serves. */
export function folderName(path: string): string {
  const repository = basename(dirname(dirname(path)));
  return repository.startsWith("models--") ? repository.slice(8).replaceAll("--", "/") : basename(path);
}
