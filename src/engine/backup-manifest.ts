/**
 * `backup.json`, the first entry of a backup archive: which files follow, in which order, with their sizes and SHA-256.
 * It makes every byte of the archive checked, and bounds what unpacking it can write.
 */
import { z } from "zod";
import { MaxsimError } from "../common/errors.js";
import { CATALOG_NAME } from "../documents/connection.js";
import { FILE_FOLDERS, FILE_TYPES, type FileType, isPublishedBaseName } from "../storage/file-names.js";
import { HISTORY_NAME } from "../storage/history-log.js";

export const MANIFEST_NAME = "backup.json";

/** Version of the archive's layout. */
export const BACKUP_VERSION = 1;

/** Some hundred thousand files. */
export const MAX_MANIFEST_BYTES = 64 << 20;

export interface BackupFile {
  /** Path inside the index folder, with `/`. */
  readonly name: string;
  /** Bytes. */
  readonly length: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

export interface BackupManifest {
  readonly indexId: string;
  readonly generation: number;
  /** In the order of the archive. */
  readonly files: readonly BackupFile[];
}

const HEX_32 = z.string().regex(/^[0-9a-f]{32}$/);
const COUNT = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

const versionSchema = z.object({ format: z.literal("maxsim-backup"), version: z.number().int().min(1) });

const schema = z.object({
  indexId: HEX_32,
  generation: COUNT,
  files: z.array(
    z.object({
      name: z.string().refine(isBackupName, "not the name of a file of an index"),
      length: COUNT,
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});

/** Names that a backup can hold: nothing else is ever written by a restore. */
function isBackupName(name: string): boolean {
  if (name === CATALOG_NAME || name === HISTORY_NAME) return true;
  return (Object.keys(FILE_TYPES) as FileType[]).some((type) => {
    const folder = `${FILE_FOLDERS[type]}/`;
    return name.startsWith(folder) && isPublishedBaseName(type, name.slice(folder.length));
  });
}

export function encodeManifest({ indexId, generation, files }: BackupManifest): Buffer {
  const listed = files.map(({ name, length, sha256 }) => ({ name, length, sha256 }));
  const value = { format: "maxsim-backup", version: BACKUP_VERSION, indexId, generation, files: listed };
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}

/** Errors: CORRUPT naming the archive and what is wrong; FORMAT_TOO_NEW naming both versions. */
export function decodeManifest(path: string, bytes: Buffer): BackupManifest {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw badManifest(path, error instanceof Error ? error.message : String(error));
  }
  const head = versionSchema.safeParse(value);
  if (!head.success) throw badManifest(path, firstIssue(head.error));
  if (head.data.version > BACKUP_VERSION) {
    throw new MaxsimError(
      "FORMAT_TOO_NEW",
      `${path} has backup version ${head.data.version}, this package reads up to version ${BACKUP_VERSION}`,
      { hint: "Upgrade maxsim, and restore again." },
    );
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw badManifest(path, firstIssue(parsed.error));
  const seen = new Set<string>();
  for (const { name } of parsed.data.files) {
    if (seen.has(name)) throw badManifest(path, `it names ${name} twice`);
    seen.add(name);
  }
  if (!seen.has(CATALOG_NAME)) throw badManifest(path, `it does not name ${CATALOG_NAME}`);
  return parsed.data;
}

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue === undefined ? "it cannot be read" : `${issue.path.join(".")}: ${issue.message}`;
}

function badManifest(path: string, problem: string): MaxsimError {
  return new MaxsimError(
    "CORRUPT",
    `${path} is no usable backup: its ${MANIFEST_NAME} is damaged (${problem})`,
    {
      hint: "Use another backup.",
    },
  );
}
