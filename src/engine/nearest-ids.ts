/** What somebody may have meant who named an id that is not there. */
import { editDistance } from "../common/edit-distance.js";

/** Ids offered. */
const NEAREST = 3;
/** Ids looked at: a fraction of a second. */
const MAX_CANDIDATES = 20_000;
/** UTF-16 code units up to which ids are compared letter by letter. */
const MAX_COMPARED = 100;

/**
 * The ids that resemble `id`, the nearest first, at most three: those that differ in case, those of which one is the
 * end of the other's path or the other without an ending such as `.md`, and those with a few other letters (a third at most).
 * @param candidates at most the first 20,000 are looked at.
 */
export function nearestIds(id: string, candidates: Iterable<string>): string[] {
  const wanted = id.toLowerCase();
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  const found: { readonly id: string; readonly distance: number }[] = [];
  let looked = 0;
  for (const candidate of candidates) {
    if (++looked > MAX_CANDIDATES) break;
    const distance = distanceOf(wanted, candidate.toLowerCase(), limit);
    if (distance <= limit) found.push({ id: candidate, distance });
  }
  found.sort((a, b) => a.distance - b.distance || (a.id < b.id ? -1 : 1));
  // Where case or folder explain it, other letters do not.
  const explained = found[0] !== undefined && found[0].distance < 1;
  const near = explained ? found.filter(({ distance }) => distance < 1) : found;
  return near.slice(0, NEAREST).map((candidate) => candidate.id);
}

function distanceOf(wanted: string, candidate: string, limit: number): number {
  if (candidate === wanted) return 0;
  if (isPart(wanted, candidate) || isPart(candidate, wanted)) return 0.5;
  if (Math.max(wanted.length, candidate.length) > MAX_COMPARED) return limit + 1;
  return editDistance(wanted, candidate, limit);
}

function isPart(part: string, id: string): boolean {
  return id.endsWith(`/${part}`) || id.startsWith(`${part}.`);
}
