/** What makes two models the same: the bytes of graph and tokenizer and every setting that shapes vectors. */
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ioError } from "../common/errors.js";
import { inspectOnnxFile } from "./onnx-file.js";
import type { DenseLayer, ModelSettings } from "./settings.js";

/** Changes when the recipe below changes. */
const RECIPE = "maxsim model 1";
const CHUNK_BYTES = 1024 * 1024;

/** Digests of files by path, size and time of change. */
const known = new Map<string, Promise<string>>();

/** SHA-256 as 64 hex digits. About 1 ms a megabyte the first time; files that did not change are not read again. */
export async function modelFingerprint(settings: ModelSettings): Promise<string> {
  const files = await modelFileDigests(settings);
  const hash = createHash("sha256").update(JSON.stringify([RECIPE, files, shapingSettings(settings)]));
  for (const layer of settings.projection) addLayer(hash, layer);
  return hash.digest("hex");
}

/** SHA-256 of graph, tokenizer and the files with the graph's weights, in this order. */
export function modelFileDigests({
  graphFile,
  tokenizerFile,
}: Pick<ModelSettings, "graphFile" | "tokenizerFile">): Promise<string[]> {
  const weights = inspectOnnxFile(graphFile).externalData.map((location) =>
    join(dirname(graphFile), location),
  );
  return Promise.all([graphFile, tokenizerFile, ...weights].map(fileDigest));
}

/** Everything but names, paths, notes and what only repeats the graph. */
function shapingSettings(settings: ModelSettings): unknown {
  const { dim, queryLength, documentLength, queryMarker, documentMarker, expansion, lowercase } = settings;
  return [
    dim,
    queryLength,
    documentLength,
    queryMarker?.id ?? null,
    documentMarker?.id ?? null,
    settings.queryPrompt,
    settings.documentPrompt,
    expansion === null ? null : [expansion.strategy, expansion.length, expansion.attend, expansion.tokenId],
    Array.from(settings.skiplist).sort((a, b) => a - b),
    lowercase,
  ];
}

function addLayer(
  hash: Hash,
  { inFeatures, outFeatures, weight, bias, activation, residual }: DenseLayer,
): void {
  const shape = [inFeatures, outFeatures, activation, bias !== undefined, typeof residual];
  hash.update(JSON.stringify(shape)).update(weight);
  if (bias !== undefined) hash.update(bias);
  if (residual instanceof Float32Array) hash.update(residual);
}

async function fileDigest(path: string): Promise<string> {
  try {
    const { size, mtimeMs } = await stat(path);
    const key = `${path}\0${size}\0${mtimeMs}`;
    const running = known.get(key) ?? digest(path);
    known.set(key, running);
    // A failed read must not be remembered.
    running.catch(() => known.delete(key));
    return await running;
  } catch (error) {
    throw ioError("read", path, error);
  }
}

async function digest(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES }))
    hash.update(chunk as Buffer);
  return hash.digest("hex");
}
