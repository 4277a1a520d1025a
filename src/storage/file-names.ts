/**
 * Names of the binary files of an index. They are generated from the content, so a name that a catalog row states
 * is used only when it has this form: a damaged or hostile row cannot point outside the index folder.
 */
import { MaxsimError } from "../common/errors.js";

/** Type numbers as they stand in a file's header. */
export const FILE_TYPES = { segment: 1, codec: 2 } as const;

export type FileType = keyof typeof FILE_TYPES;

/** Folder of a file type, inside the index folder. */
export const FILE_FOLDERS: Readonly<Record<FileType, string>> = { segment: "segments", codec: "codecs" };

const ID = /^[0-9a-f]{32}$/;

/** True for 16 bytes in lower-case hexadecimal, the form of index ids and file ids. */
export function isFileId(value: string): boolean {
  return ID.test(value);
}

/** `segments/<file id>.segment` or `codecs/<file id>.codec`: a path relative to the index folder, with `/`. */
export function publishedName(type: FileType, fileId: string): string {
  if (!isFileId(fileId)) {
    throw new MaxsimError("INTERNAL", `a file id is 32 hexadecimal digits, found ${JSON.stringify(fileId)}`);
  }
  return `${FILE_FOLDERS[type]}/${fileId}.${type}`;
}

/** True for a name without its folder that only `publishedName` makes. */
export function isPublishedBaseName(type: FileType, name: string): boolean {
  return name.endsWith(`.${type}`) && ID.test(name.slice(0, -type.length - 1));
}

/** Name without folder of a file that is being written; `unique` is 32 hexadecimal digits. */
export function temporaryBaseName(unique: string): string {
  return `${unique}.tmp`;
}

export function isTemporaryBaseName(name: string): boolean {
  return /^[0-9a-f]{32}\.tmp$/.test(name);
}
