/**
 * The ladder of kernel backends: the native addon, then WebAssembly (relaxed SIMD where the runtime has it), then plain
 * TypeScript.
 *
 * `MAXSIM_KERNELS` forces a rung: `native`, `wasm`, `js`, or the path of an addon; `MAXSIM_ISA` forces an
 * instruction set (of the addon: `scalar`, `avx2`, `avx512vnni`, `neon`, `neondot`; of WebAssembly: `relaxedsimd`,
 * `simd128`). What is forced and does not load is an error; otherwise the next rung is taken and the reason kept.
 */
import { MaxsimError } from "../common/errors.js";
import type { KernelAttempt, KernelBackend, KernelInfo } from "./backend.js";
import { type AddonFileMapper, fileMapperOf } from "./file-mapper.js";
import { addonCandidates, loadNative } from "./native.js";
import { referenceBackend } from "./reference.js";
import { loadWasm } from "./wasm.js";
import { WASM_ISAS } from "./wasm-exports.js";

export interface SelectedKernels {
  readonly backend: KernelBackend;
  readonly info: KernelInfo;
  /** Maps files; undefined for backends that cannot. */
  readonly mapper: AddonFileMapper | undefined;
}

/** The variables of the environment that steer the choice; empty strings count as not set. */
export interface KernelEnvironment {
  readonly MAXSIM_KERNELS?: string | undefined;
  readonly MAXSIM_ISA?: string | undefined;
}

let selected: SelectedKernels | undefined;

/**
 * The backend of this process, chosen at the first call.
 * @throws MaxsimError KERNELS_UNAVAILABLE when the environment forces a backend that does not load.
 */
export function selectKernels(): SelectedKernels {
  selected ??= chooseKernels(process.env);
  return selected;
}

/** A rung of the ladder that may fail. */
interface Candidate {
  readonly name: string;
  /** File that is loaded; undefined for what this package holds as code. */
  readonly path: string | undefined;
  load(): KernelBackend;
}

/** Goes down the ladder that `environment` leaves open; nothing is cached. */
export function chooseKernels(environment: KernelEnvironment): SelectedKernels {
  const forced = environment.MAXSIM_KERNELS || undefined;
  const isa = environment.MAXSIM_ISA || undefined;
  const tried: KernelAttempt[] = [];
  if (forced === "js") {
    return plain([{ candidate: "js", ok: true, reason: "forced by MAXSIM_KERNELS" }]);
  }
  for (const candidate of candidates(forced, isa)) {
    try {
      const backend = candidate.load();
      const attempt = { candidate: candidate.name, ok: true, reason: "loaded and passed the self-check" };
      const info: KernelInfo = {
        backend: backend.name,
        isa: backend.isa,
        path: candidate.path,
        tried: [...tried, attempt],
      };
      return { backend, info, mapper: fileMapperOf(info) };
    } catch (error) {
      tried.push({ candidate: candidate.name, ok: false, reason: reasonOf(error) });
    }
  }
  if (forced !== undefined || isa !== undefined) throw unavailable(forced, isa, tried);
  return plain([...tried, { candidate: "js", ok: true, reason: "always available" }]);
}

function* candidates(forced: string | undefined, isa: string | undefined): Generator<Candidate> {
  if (forced !== "wasm") {
    const paths = forced === undefined || forced === "native" ? addonCandidates() : [forced];
    for (const path of paths) yield { name: `native ${path}`, path, load: () => loadNative(path, isa) };
  }
  if (forced === undefined || forced === "wasm") {
    for (const name of isa === undefined ? WASM_ISAS : [isa]) {
      yield { name: `wasm ${name}`, path: undefined, load: () => loadWasm(name) };
    }
  }
}

function plain(tried: KernelAttempt[]): SelectedKernels {
  const info: KernelInfo = { backend: "js", isa: referenceBackend.isa, path: undefined, tried };
  return { backend: referenceBackend, info, mapper: undefined };
}

/** First line of a message: require() appends the stack of modules to its own. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n", 1)[0] ?? message;
}

function unavailable(
  forced: string | undefined,
  isa: string | undefined,
  tried: readonly KernelAttempt[],
): MaxsimError {
  const wanted = [
    forced === undefined ? undefined : `MAXSIM_KERNELS=${forced}`,
    isa === undefined ? undefined : `MAXSIM_ISA=${isa}`,
  ].filter((text) => text !== undefined);
  const reasons = tried.map((attempt) => `${attempt.candidate}: ${attempt.reason}`).join("; ");
  const build =
    forced === "wasm" ? "" : "Build the addon with `node scripts/build-native.mjs --required`, or ";
  return new MaxsimError(
    "KERNELS_UNAVAILABLE",
    `no kernel backend fits ${wanted.join(" and ")} (${reasons})`,
    { hint: `${build}${build === "" ? "Unset" : "unset"} the variable to use what loads.` },
  );
}
