// OpenBLAS for next-plaid: the system's, or on Debian and its kin the packages of the distribution, unpacked into the
// cache without installing them.

import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { output } from "../line-process.mjs";

/** The library, what it is linked with, and its Fortran runtime. */
const PACKAGES = ["libopenblas0-pthread", "libopenblas-pthread-dev", "libgfortran5"];

/**
 * Flags for rustc that find OpenBLAS, or undefined where it cannot be had.
 *
 * @param {string} folder where packages are unpacked
 * @param {(message: string) => void} say
 * @returns {Promise<readonly string[] | undefined>}
 */
export async function openBlasFlags(folder, say) {
  try {
    await output(["pkg-config", "--exists", "openblas"]);
    return [];
  } catch (error) {
    say(`next-plaid: no OpenBLAS of the system (${error.message})`);
  }
  try {
    const root = join(folder, "openblas");
    const libraries = unpackedLibraries(root) ?? (await unpack(root, say));
    // An rpath that also holds for what the library needs itself.
    const search = libraries.map((library) => `-rpath,${library}`).join(",");
    return [`-Lnative=${libraries[0]}`, `-Clink-arg=-Wl,--disable-new-dtags,${search}`];
  } catch (error) {
    say(`next-plaid: building without OpenBLAS, no packages: ${error.message}`);
    return undefined;
  }
}

async function unpack(root, say) {
  say(`next-plaid: apt-get download ${PACKAGES.join(" ")}`);
  const unfinished = `${root}.part`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  await output(["apt-get", "download", "-q", ...PACKAGES], {}, unfinished);
  for (const name of readdirSync(unfinished)) {
    await output(["dpkg-deb", "-x", join(unfinished, name), unfinished]);
  }
  renameSync(unfinished, root);
  const libraries = unpackedLibraries(root);
  if (libraries === undefined) throw new Error(`${PACKAGES.join(", ")} hold no libopenblas.so`);
  return libraries;
}

/** Folders of OpenBLAS and of its runtime below `root`. */
function unpackedLibraries(root) {
  try {
    const names = readdirSync(root, { recursive: true });
    const folders = ["libopenblas.so", "libgfortran.so.5"].map((library) => {
      const name = names.find((each) => each.endsWith(`/${library}`));
      return name && dirname(join(root, name));
    });
    return folders.includes(undefined) ? undefined : folders;
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}
