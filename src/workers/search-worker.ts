/** Entry of a search thread: attaches snapshots as they are asked for and answers from them. */
import { serializeError } from "../common/errors.js";
import { selectKernels } from "../kernels/select.js";
import { scan } from "../search/exact.js";
import { attachPart } from "../search/restricted-snapshot.js";
import { ScanRouter } from "../search/router.js";
import { searchSnapshot } from "../search/search.js";
import { attachSnapshot } from "../search/snapshot-description.js";
import { TopDocuments } from "../search/top-documents.js";
import type { SearchSnapshot } from "../search/types.js";
import { Workspace } from "../search/workspace.js";
import type { SearchAnswer, SearchTask, SearchWork } from "./search-messages.js";

/** A new generation comes while searches of the one before are still under way. */
const KEPT_SNAPSHOTS = 2;

const { backend: kernels, mapper } = selectKernels();
const workspace = new Workspace();
const attached = new Map<string, SearchSnapshot>();

export default async function answer({
  snapshot: name,
  description,
  part,
  work,
}: SearchTask): Promise<SearchAnswer> {
  try {
    let snapshot = attached.get(name);
    if (snapshot === undefined) {
      if (description === null) return { kind: "unknown" };
      snapshot = await attachSnapshot(description, mapper);
      attached.set(name, snapshot);
      for (const oldest of attached.keys()) {
        if (attached.size <= KEPT_SNAPSHOTS) break;
        attached.delete(oldest);
      }
    }
    return run(part === null ? snapshot : attachPart(snapshot, part), work);
  } catch (error) {
    return { kind: "error", error: serializeError(error) };
  }
}

function run(snapshot: SearchSnapshot, work: SearchWork): SearchAnswer {
  if (work.kind === "search") {
    const router = new ScanRouter(kernels, snapshot.codec.codebook);
    const outcomes = searchSnapshot(snapshot, work.requests, { kernels, router, workspace });
    return { kind: "search", outcomes };
  }
  const segment = snapshot.segments[work.segment]!;
  segment.checkMapped();
  const top = new TopDocuments(work.k);
  scan({ segment, passages: segment.live }, work.from, work.to, work.query, top, kernels);
  return { kind: "scan", ranked: top.ranked() };
}
