/** The mapper of the addon, for tests that map files. */
import { existsSync } from "node:fs";
import { type AddonFileMapper, fileMapperOf } from "../../src/kernels/file-mapper.js";
import { addonCandidates } from "../../src/kernels/native.js";

/** Paths of addons: one that MAXSIM_KERNELS names, then those of this package. */
function* candidates(): Generator<string> {
  const forced = process.env.MAXSIM_KERNELS;
  if (forced?.endsWith(".node")) yield forced;
  yield* addonCandidates();
}

/** Path of an addon that maps files; undefined where none is built. */
export const addonPath: string | undefined = [...candidates()].find(
  (path) => existsSync(path) && fileMapperOf({ path }) !== undefined,
);

/** Undefined where no addon is built or the platform cannot map files. */
export const mapper: AddonFileMapper | undefined =
  process.platform === "win32" ? undefined : fileMapperOf({ path: addonPath });
