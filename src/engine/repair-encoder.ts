/** The model of an index, loaded when a repair has something to encode. */
import type { Snapshot } from "../documents/records.js";
import { EncodeJournal } from "../storage/encode-journal.js";
import { JournaledSource } from "./journaled-source.js";
import type { ModelHandle } from "./model-handle.js";
import { EncodedSource } from "./sources.js";

export class RepairEncoder {
  private opened: JournaledSource | undefined;
  private foundJournal = false;

  constructor(
    private readonly model: ModelHandle,
    private readonly folder: string,
    private readonly snapshot: Snapshot,
  ) {}

  /** What it gives is kept in the journal of the index until `finish`, so that a repair that is cut short goes on. */
  async source(): Promise<JournaledSource> {
    if (this.opened !== undefined) return this.opened;
    const pool = await this.model.encoder();
    const { indexId, settings } = this.snapshot;
    this.foundJournal = await EncodeJournal.exists(this.folder);
    const owner = { indexId, fingerprint: settings.model!.fingerprint };
    this.opened = await JournaledSource.open(new EncodedSource(pool), this.folder, owner);
    return this.opened;
  }

  /** To be called after the commit. A journal that was there before waits for its own add. Errors: IO. */
  async finish(): Promise<void> {
    if (this.opened === undefined) return;
    if (this.foundJournal) await this.opened.close();
    else await this.opened.remove();
  }

  /** Stops the model and lets go of the journal. */
  async close(): Promise<void> {
    await this.opened?.close();
    await this.model.close();
  }
}
