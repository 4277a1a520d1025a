/** Lets at most `width` pieces of work run at the same time; the others wait in the order in which they came. */
export class Gate {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(width: number) {
    this.free = width;
  }

  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The place is handed over, so that nobody who comes between gets it.
      const next = this.waiting.shift();
      if (next === undefined) this.free++;
      else next();
    }
  }
}
