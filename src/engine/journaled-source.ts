/** A source of vectors that keeps what it encodes in a journal, and takes from there what was encoded before. */
import { setMaxListeners } from "node:events";
import { throwIfAborted } from "../common/abort.js";
import { MaxsimError } from "../common/errors.js";
import type { StagedPassage } from "../documents/staging.js";
import type { VectorSource } from "../indexing/build.js";
import { type PassageVectors, vectorParts, vectorsOf } from "../indexing/passage-vectors.js";
import {
  EncodeJournal,
  type JournalEntry,
  type JournalOwner,
  journalKey,
} from "../storage/encode-journal.js";

/** Passages that are encoded and kept together; a group that is under way when the process ends is lost. */
const GROUP_PASSAGES = 16;
const HEAD_BYTES = 8;

export class JournaledSource implements VectorSource {
  readonly dim: number;
  readonly tokensPerPassage: number;
  private readonly taken = new PassageSet();
  /** Calls that encode, until all of their groups have ended. */
  private readonly calls = new Map<AbortController, Promise<unknown>>();
  private closed = false;

  private constructor(
    private readonly inner: VectorSource,
    private readonly journal: EncodeJournal,
  ) {
    this.dim = inner.dim;
    this.tokensPerPassage = inner.tokensPerPassage;
  }

  /** Opens the journal in the index folder, which stays until `remove`. Only under the writer lock. Errors: IO. */
  static async open(inner: VectorSource, folder: string, owner: JournalOwner): Promise<JournaledSource> {
    return new JournaledSource(inner, await EncodeJournal.open(folder, owner));
  }

  /** Passages so far whose vectors an earlier process, or an earlier call, had encoded. */
  get resumed(): number {
    return this.taken.size;
  }

  /**
   * As the inner source gives them; nothing is returned before it is in the journal. Passages may be asked for again,
   * which encodes nothing. Errors: those of the inner source; DISK_FULL and IO naming the journal; CLOSED.
   */
  async vectors(
    passages: readonly StagedPassage[],
    signal: AbortSignal | undefined,
  ): Promise<PassageVectors[]> {
    const out: PassageVectors[] = [];
    const missing: number[] = [];
    for (const [i, { passageNo, text }] of passages.entries()) {
      throwIfAborted(signal, "the build");
      const entry = await this.journal.get(journalKey(text));
      const vectors = entry === undefined ? undefined : usableVectors(entry, this.dim);
      if (vectors === undefined) missing.push(i);
      else {
        out[i] = vectors;
        if (entry?.before === true) this.taken.add(passageNo);
      }
    }
    await this.encodeGroups(missing, signal, async (group, groupSignal) => {
      const wanted = group.map((i) => passages[i]!);
      const encoded = await this.inner.vectors(wanted, groupSignal);
      for (const [g, vectors] of encoded.entries()) {
        await this.journal.append(journalKey(wanted[g]!.text), vectorParts(vectors));
        out[group[g]!] = vectors;
      }
      await this.journal.flush();
    });
    return out;
  }

  /** Runs `encode` on groups of `items` side by side. When one fails, or the signal fires, the others stop. */
  private async encodeGroups(
    items: readonly number[],
    signal: AbortSignal | undefined,
    encode: (group: readonly number[], signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    throwIfAborted(signal, "the build");
    if (this.closed) throw new MaxsimError("CLOSED", `the journal ${this.journal.path} is closed`);
    const call = new AbortController();
    // Every group listens, which is no leak.
    setMaxListeners(0, call.signal);
    const abort = (): void => call.abort(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    const groups: Array<Promise<void>> = [];
    for (let from = 0; from < items.length; from += GROUP_PASSAGES) {
      groups.push(encode(items.slice(from, from + GROUP_PASSAGES), call.signal));
    }
    this.calls.set(
      call,
      Promise.allSettled(groups).then(() => this.calls.delete(call)),
    );
    try {
      await Promise.all(groups);
    } finally {
      signal?.removeEventListener("abort", abort);
      call.abort();
    }
  }

  /** Stops calls under way and lets go of the journal, which stays with all that was encoded to its end. */
  async close(): Promise<void> {
    this.closed = true;
    for (const call of this.calls.keys()) call.abort();
    await Promise.all(this.calls.values());
    await this.journal.close();
  }

  /** Closes and deletes the journal: what it holds is committed. Errors: IO. */
  async remove(): Promise<void> {
    await this.close();
    await this.journal.remove();
  }
}

/** The vectors of a record; undefined when it is no record of vectors of this dimension: a checksum proves no sense. */
function usableVectors({ payload }: JournalEntry, dim: number): PassageVectors | undefined {
  if (payload.byteLength < HEAD_BYTES) return undefined;
  const [count = 0, hasIds = 0] = new Uint32Array(payload, 0, 2);
  const tokenBytes = 4 + 4 * hasIds + dim;
  if (hasIds > 1 || payload.byteLength !== HEAD_BYTES + count * tokenBytes) return undefined;
  const passage = vectorsOf(payload, dim);
  const { scales, values } = passage.vectors;
  const sane = scales.every((scale) => Number.isFinite(scale) && scale >= 0) && !values.includes(-128);
  return sane ? passage : undefined;
}

/** Passage numbers from 0 to 2^32, a bit each. */
class PassageSet {
  private bits = new Uint8Array(1024);
  size = 0;

  add(passage: number): void {
    const byte = Math.floor(passage / 8);
    const bit = 1 << (passage % 8);
    if (byte >= this.bits.length) {
      const longer = new Uint8Array(Math.max(2 * this.bits.length, byte + 1));
      longer.set(this.bits);
      this.bits = longer;
    }
    if ((this.bits[byte]! & bit) !== 0) return;
    this.bits[byte]! |= bit;
    this.size++;
  }
}
