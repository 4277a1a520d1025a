/** Performs operations on an index, for the driver and for the observer. */
import { OPERATIONS } from "./operations.mjs";

/** `folder` and `notes` are absolute; see operations.mjs. */
export class Performer {
  #opened;

  constructor(api, { folder, model, notes }) {
    this.context = {
      api,
      folder,
      notes,
      model,
      index: async () => {
        this.#opened ??= await api.Index.open(folder, { threads: 1 });
        return this.#opened;
      },
    };
  }

  /** @returns {Promise<number | undefined>} the generation that was acknowledged. */
  perform(operation) {
    return OPERATIONS[operation.op].perform(this.context, operation);
  }

  async close() {
    await this.#opened?.close();
    this.#opened = undefined;
  }
}
