/** Verification of an index: everything that can be checked of its newest generation, while others read and write it. */
import { resolve } from "node:path";
import { checkString } from "../common/check.js";
import type { ProgressListener } from "../common/progress.js";
import { checkIndexAside } from "../workers/check-thread.js";
import type { IndexFindings } from "../workers/index-findings.js";

export type { IndexProblem } from "../workers/index-findings.js";

export interface VerifyOptions {
  /** Whether every stored norm is computed again, and many searches are instead of a few. Default false. */
  readonly deep?: boolean;
  readonly signal?: AbortSignal;
  /** Stages "check", in bytes, and "search", in queries. */
  readonly onProgress?: ProgressListener;
}

export interface VerifyReport extends IndexFindings {
  /** Absolute path of the index. */
  readonly folder: string;
  /** Whether nothing is wrong. */
  readonly ok: boolean;
  readonly deep: boolean;
}

/**
 * Reads every byte of the newest generation, which stays whole meanwhile, and checks that catalog, codec and segments are
 * what was written, agree with each other, and are searched rightly. Damage is no error: it is in the report. Large indexes
 * are checked on a thread of their own. Errors: INDEX_NOT_FOUND, FORMAT_TOO_NEW, LOCKED, ABORTED, IO.
 */
export async function verifyIndex(folder: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  const path = resolve(checkString("folder", folder));
  const deep = options.deep === true;
  const { signal, onProgress } = options;
  const findings = await checkIndexAside({ folder: path, deep }, { signal, onProgress });
  return { folder: path, ok: findings.problems.length === 0, deep, ...findings };
}
