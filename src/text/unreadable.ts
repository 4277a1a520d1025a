/** Why a file that should hold a text gives none. */

/** The reader of a file knows the reason, whoever reads the corpus knows the path. The message is one line. */
export class UnreadableFile extends Error {
  override readonly name = "UnreadableFile";

  constructor(message: string, options?: ErrorOptions) {
    // Names of entries and pieces of the file stand in messages.
    super(message.replace(/\p{Cc}+/gu, " "), options);
  }
}

/** What a library says about a damaged file: the first line of it. */
export function damaged(what: string, error: unknown): UnreadableFile {
  if (error instanceof UnreadableFile) return error;
  const message = error instanceof Error ? error.message : String(error);
  const reason = message.split("\n")[0]!.slice(0, 200).replace(/\.$/, "");
  return new UnreadableFile(`${what} is damaged: ${reason === "" ? "it cannot be read" : reason}`, {
    cause: error,
  });
}
