// What must be in the published package, and what must not.

import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { addonCandidates } from "../../dist/kernels/native.js";
import { listFiles } from "./stamp.mjs";

const REQUIRED = [
  "package.json",
  "LICENSE",
  "README.md",
  "ARCHITECTURE.md",
  "CHANGELOG.md",
  "docs/api.md",
  "dist/index.js",
  "dist/index.d.ts",
  "dist/cli/main.js",
  "dist/workers/encode-worker.js",
  "dist/workers/search-worker.js",
  "index-data/FORMAT.md",
  "index-data/models/maxsim-small-en-v1/model_int8.onnx",
  "index-data/models/maxsim-small-en-v1/tokenizer.json",
  "index-data/models/maxsim-small-en-v1/onnx_config.json",
  "index-data/models/maxsim-small-en-v1/LICENSE",
  "native-bindings/binding.gyp",
];
const FORBIDDEN =
  /^(?:test|src|scripts|\.ci|\.cache|node_modules|native-bindings\/(?:build|test))\/|\.(?:tsbuildinfo|tgz|log)$|golden\.(?:json|npy)$/;
const MAX_MB = 40;

/**
 * @param {string} folder the unpacked package
 * @param {string} root of the checkout
 * @param {(name: string, look: () => string) => void} check
 */
export function checkContent(folder, root, check) {
  const files = listFiles(folder);
  const bytes = files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);

  check("required files", () => {
    const missing = REQUIRED.filter((file) => !files.includes(file));
    if (missing.length > 0) throw new Error(`missing: ${missing.join(", ")}`);
    return `${files.length} files, ${(bytes / 1e6).toFixed(1)} MB unpacked`;
  });
  check("nothing else", () => {
    const found = files.filter((file) => FORBIDDEN.test(file));
    if (found.length > 0) throw new Error(`should not be packed: ${found.slice(0, 10).join(", ")}`);
    if (bytes > MAX_MB * 1e6) throw new Error(`${(bytes / 1e6).toFixed(1)} MB, more than ${MAX_MB}`);
    return "no tests, sources of the build, caches or indexes";
  });
  check("every module of src", () => {
    const modules = listFiles(join(root, "src")).map((file) => file.replace(/\.ts$/, ""));
    const missing = modules.filter((name) => !files.includes(`dist/${name}.js`));
    const orphans = files.filter(
      (file) => /^dist\/.*\.js$/.test(file) && !modules.includes(file.slice(5, -3)),
    );
    if (missing.length > 0) throw new Error(`not compiled: ${missing.join(", ")}`);
    if (orphans.length > 0) throw new Error(`without a source: ${orphans.join(", ")}`);
    return `${modules.length} modules`;
  });
  check("no path of this machine", () => {
    const found = files.filter((file) => readFileSync(join(folder, file)).includes(root));
    if (found.length > 0) throw new Error(`${root} stands in ${found.join(", ")}`);
    return "none";
  });
  check("native addon", () => {
    const [built = "", prebuilt = ""] = addonCandidates();
    if (!existsSync(built)) return "none was built here; the package computes with WASM kernels";
    const packed = prebuilt.slice(root.length + 1).replaceAll("\\", "/");
    if (!files.includes(packed)) throw new Error(`${packed} is missing`);
    if (!readFileSync(join(folder, packed)).equals(readFileSync(built))) {
      throw new Error(`${packed} is not the addon that was built`);
    }
    return packed;
  });
}
