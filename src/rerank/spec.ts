/**
 * Rerankers by name, such as "late" or "late@200+cross-encoder:model@50":
 *
 *   spec  = stage *("+" stage)
 *   stage = name ["@" depth]
 *   name  = kind [":" model] | model
 *
 * A backslash before a plus sign makes it part of a name.
 */
import { checkString, describe } from "../common/check.js";
import { editDistance } from "../common/edit-distance.js";
import { MaxsimError } from "../common/errors.js";
import { MAX_RERANK_DOCUMENTS } from "./types.js";

/** What can be asked for by name, and what stands behind the colon. */
const KINDS = {
  late: { model: "a late-interaction model", required: false },
  "cross-encoder": { model: "a model: a folder or a repository id", required: true },
  cohere: { model: "a model of the service", required: false },
  jina: { model: "a model of the service", required: false },
  voyage: { model: "a model of the service", required: false },
  tei: { model: "the address of a server, such as http://127.0.0.1:8080", required: false },
  llm: { model: "a language model", required: true },
  "llm-pairwise": { model: "a language model", required: true },
  "llm-pointwise": { model: "a language model", required: true },
} as const;

export type RerankerKind = keyof typeof KINDS;

/** One stage of a spec. */
export interface StageSpec {
  /** "model": a folder or name, whose files say what it is. */
  readonly kind: RerankerKind | "model";
  /** Undefined: the kind's default. */
  readonly model: string | undefined;
  /** Documents that the stage sees; undefined for all. */
  readonly depth: number | undefined;
  /** The stage as it was written. */
  readonly text: string;
}

/** What a spec may be, for messages and help. */
export const SPEC_FORMS =
  "late[:model], cross-encoder:model, cohere[:model], jina[:model], voyage[:model], tei[:url], llm:model, llm-pairwise:model, " +
  "llm-pointwise:model, the name or folder of a model, or several with a plus sign between them: late@200+cross-encoder:model@50";

/** At least one stage. Errors: INVALID_ARGUMENT. */
export function parseRerankerSpec(spec: string): StageSpec[] {
  return checkString("the reranker", spec)
    .split(/(?<!\\)\+/)
    .map((part) => parseStage(spec, part.replaceAll("\\+", "+").trim()));
}

/** Kinds that ask somebody over the network, or a model by the token: their scores are worth keeping. */
export function isRemote({ kind }: Pick<StageSpec, "kind">): boolean {
  return kind !== "late" && kind !== "cross-encoder" && kind !== "model";
}

export function invalidSpec(spec: string, problem: string, cause?: unknown): MaxsimError {
  return new MaxsimError("INVALID_ARGUMENT", `the reranker ${describe(spec)}: ${problem}`, {
    hint: `A reranker is one of ${SPEC_FORMS}.`,
    ...(cause === undefined ? {} : { cause }),
  });
}

function parseStage(spec: string, text: string): StageSpec {
  const [, name = "", depthText] = /^(.*?)(?:@(\d+))?$/s.exec(text) ?? [];
  if (name.trim() === "") {
    throw invalidSpec(spec, text === spec.trim() ? "it has no name" : "a stage has no name");
  }
  const depth = depthText === undefined ? undefined : Number(depthText);
  if (depth !== undefined && (depth < 1 || depth > MAX_RERANK_DOCUMENTS)) {
    throw invalidSpec(spec, `a depth is a number from 1 to ${MAX_RERANK_DOCUMENTS}, found ${depthText}`);
  }
  return { ...parseName(spec, name.trim()), depth, text };
}

function parseName(spec: string, name: string): Pick<StageSpec, "kind" | "model"> {
  const [, word = "", rest] = /^([^:]*)(?::(.*))?$/s.exec(name) ?? [];
  if (!isKind(word)) {
    if (rest === undefined || isPath(name)) return { kind: "model", model: name };
    if (/^https?$/i.test(word)) {
      throw invalidSpec(spec, `an address says nothing of the service behind it, tei:${name} would`);
    }
    throw invalidSpec(spec, `there is no kind ${describe(word)}${meant(word)}`);
  }
  const { model, required } = KINDS[word];
  if (rest === "" || (rest === undefined && required)) {
    throw invalidSpec(spec, `${word} needs ${model}, as in ${word}:...`);
  }
  if (word === "tei" && rest !== undefined && !/^https?:\/\/[^/]/i.test(rest)) {
    throw invalidSpec(spec, `tei needs ${model}, found ${describe(rest)}`);
  }
  return { kind: word, model: rest };
}

/** Letters that a kind may be mistyped by. */
const MISTYPED = 2;

/** `, did you mean cohere?` for a word that resembles a kind. */
export function meant(word: string): string {
  const near = Object.keys(KINDS).find(
    (kind) => editDistance(word.toLowerCase(), kind, MISTYPED) <= MISTYPED,
  );
  return near === undefined ? "" : `, did you mean ${near}?`;
}

function isKind(word: string): word is RerankerKind {
  return Object.hasOwn(KINDS, word);
}

/** A folder, also `C:\models\x`. */
function isPath(name: string): boolean {
  return /^(?:\.{1,2}(?:[\\/]|$)|[\\/]|[A-Za-z]:[\\/])/.test(name);
}
