/** Passages of the catalog as input of a build: their texts are what was encoded. */
import { MaxsimError } from "../common/errors.js";
import type { Catalog } from "../documents/catalog.js";
import { passageText } from "../documents/passage-text.js";
import type { PassageFact, Snapshot } from "../documents/records.js";
import type { StagedPassage } from "../documents/staging.js";
import type { PassageQueue } from "../indexing/build.js";
import { ordinalOf } from "../indexing/segment.js";

export class CatalogPassages implements PassageQueue {
  private readonly numbers: Uint32Array;
  private readonly tokens: Uint32Array;
  /** The text that was read last; passages of one document come one after the other. */
  private current: { readonly documentNo: number; readonly text: string } | undefined;

  /** @param facts ascending. */
  constructor(
    private readonly catalog: Catalog,
    private readonly snapshot: Snapshot,
    facts: readonly PassageFact[],
  ) {
    this.numbers = Uint32Array.from(facts, ({ passageNo }) => passageNo);
    this.tokens = Uint32Array.from(facts, ({ tokens }) => tokens);
  }

  get firstPassage(): number {
    return this.numbers[0] ?? 0;
  }

  get passages(): number {
    return this.numbers.length;
  }

  passageAt(ordinal: number): number {
    return this.numbers[ordinal]!;
  }

  /** Errors: CORRUPT when a row is damaged. */
  readPassages(from: number, limit: number): StagedPassage[] {
    const first = ordinalOf(this.numbers, from);
    const wanted = [...this.numbers.subarray(first, first + limit)];
    return [...this.catalog.passages(wanted).values()].map((passage) => {
      const { passageNo, documentNo } = passage;
      return { passageNo, documentNo, text: passageText(this.textOf(documentNo), passage) };
    });
  }

  /** MODEL_MISMATCH when a passage has another number of vectors than before: it was not made by this encoder. */
  setTokens(rows: readonly { readonly passageNo: number; readonly tokens: number }[]): void {
    for (const { passageNo, tokens } of rows) {
      const stated = this.tokens[ordinalOf(this.numbers, passageNo)];
      if (tokens === stated) continue;
      throw new MaxsimError(
        "MODEL_MISMATCH",
        `passage ${passageNo} had ${stated} token vectors, its text gives ${tokens}: they were not made from its text by this model`,
      );
    }
  }

  private textOf(documentNo: number): string {
    if (this.current?.documentNo !== documentNo) {
      const document = this.catalog.documents([documentNo], this.snapshot.generation).get(documentNo)!;
      this.current = { documentNo, text: document.text };
    }
    return this.current!.text;
  }
}
