/** Requests as they come, several at a time: as many as there are while nobody waits for more. */
import { setImmediate as nextTurn } from "node:timers/promises";

export interface BatchLimits<T> {
  /** What a batch may hold at most, and what an item counts. One item is always taken. */
  readonly size: number;
  readonly sizeOf: (item: T) => number;
}

const NOTHING_YET = Symbol("nothing yet");

/**
 * An item that is there at once joins the batch before it; one that has to be waited for does not hold the batch up. What was read
 * before an error is given before the error is thrown.
 */
export async function* batchesOf<T>(
  items: AsyncIterable<T>,
  { size, sizeOf }: BatchLimits<T>,
): AsyncGenerator<T[]> {
  const iterator = items[Symbol.asyncIterator]();
  const advance = (): Promise<IteratorResult<T>> => {
    const next = iterator.next();
    // It is awaited in any case, but possibly only after the batch before it was dealt with.
    next.catch(() => undefined);
    return next;
  };
  try {
    let pending = advance();
    for (let first = await pending; first.done !== true; first = await pending) {
      const batch = [first.value];
      let taken = sizeOf(first.value);
      pending = advance();
      while (taken < size) {
        const ready = await soon(pending);
        if (ready === NOTHING_YET || ready.done === true) break;
        batch.push(ready.value);
        taken += sizeOf(ready.value);
        pending = advance();
      }
      yield batch;
    }
  } finally {
    await iterator.return?.();
  }
}

/** What is there after one turn of the event loop; a failure waits as well. */
async function soon<T>(promise: Promise<IteratorResult<T>>): Promise<IteratorResult<T> | typeof NOTHING_YET> {
  const settled = promise.catch((): typeof NOTHING_YET => NOTHING_YET);
  return Promise.race([settled, nextTurn<typeof NOTHING_YET>(NOTHING_YET)]);
}
