/** Why a file that should hold a text gives none. */

/** The reader of a file knows the reason, whoever reads the corpus knows the path. */
export class UnreadableFile extends Error {
  override readonly name = "UnreadableFile";
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
