/** What this machine gives the engine: each check says what was found and why. */
import { availableParallelism, cpus, totalmem } from "node:os";
import { isMaxsimError } from "../common/errors.js";
import { PACKAGE_VERSION } from "../common/version.js";
import { sqliteVersion } from "../documents/connection.js";
import { selectKernels } from "../kernels/select.js";
import { EncodePool } from "../workers/encode-pool.js";
import { identifyModel } from "./model-handle.js";

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** One line. */
  readonly found: string;
  readonly details: readonly string[];
}

/** Runs every check; a failing one does not stop the others. */
export async function runDoctor(model?: string): Promise<Check[]> {
  return [
    await check("maxsim", () => ({
      found: `${PACKAGE_VERSION} on Node ${process.version}, ${process.platform}-${process.arch}`,
      details: [
        `${availableParallelism()} processors (${cpus()[0]?.model.trim() ?? "unknown"}), ` +
          `${Math.round(totalmem() / 2 ** 30)} GiB of memory`,
      ],
    })),
    await check("kernels", () => {
      const { info } = selectKernels();
      return {
        found: `${info.backend}, instruction set ${info.isa}${info.path === undefined ? "" : `, ${info.path}`}`,
        details: info.tried.map(
          ({ candidate, ok, reason }) => `${candidate}: ${ok ? "" : "not used, "}${reason}`,
        ),
      };
    }),
    await check("catalog", () => ({ found: `SQLite ${sqliteVersion()}`, details: [] })),
    await check("model", async () => {
      const { settings, fingerprint } = await identifyModel(model);
      const pool = await EncodePool.create(settings, { threads: 1 });
      try {
        const start = performance.now();
        const { count } = await pool.encodeQuery("does the encoder work");
        const milliseconds = Math.round(performance.now() - start);
        return {
          found: `${settings.name}, ${settings.dim} dimensions, fingerprint ${fingerprint.slice(0, 12)}`,
          details: [
            `read from ${settings.folder}`,
            `onnxruntime encoded a query of ${count} tokens in ${milliseconds} ms, loading included`,
            ...settings.notes,
          ],
        };
      } finally {
        await pool.close();
      }
    }),
  ];
}

async function check(
  name: string,
  look: () => { found: string; details: string[] } | Promise<{ found: string; details: string[] }>,
): Promise<Check> {
  try {
    return { name, ok: true, ...(await look()) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const hint = isMaxsimError(error) && error.hint !== undefined ? [error.hint] : [];
    return { name, ok: false, found: error.message, details: hint };
  }
}
