// Using the installed package the way its users do: command line, library, types; without a network.

import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { link, run } from "./package-install.mjs";

const NOTES = {
  "garden.md": "# Garden\n\nThe tomatoes get water in the evening, twice a week, three times in August.\n",
  "car.txt": "The inspection of the vehicle is due in March; the winter tyres are in the cellar.\n",
  "bread.md": "# Sourdough\n\nFeed the starter the night before, bake at 240 degrees with steam.\n",
};
const QUESTION = "how often are the plants irrigated?";

const LIBRARY = `
import { Index, MaxsimError, version } from "maxsim";
await using index = await Index.create("library-index");
await index.add([{ id: "a", text: "The cat sleeps on the sofa." }, { id: "b", text: "Stocks fell on Monday." }]);
const { hits } = await index.search("where does the animal rest?", { k: 1 });
let code = "";
await Index.open("nowhere").catch((error: unknown) => {
  if (error instanceof MaxsimError) code = error.code;
});
console.log(JSON.stringify({ version, id: hits[0]?.id, code }));
`;

/**
 * @param {string} app folder with the package in node_modules
 * @param {string} root of the checkout, for the compiler
 * @param {(name: string, look: () => string) => void} check
 */
export function checkUse(app, root, check) {
  const folder = join(app, "node_modules", "maxsim");
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const main = join(folder, manifest.bin.maxsim);
  const notes = join(app, "notes");
  mkdirSync(notes);
  for (const [name, text] of Object.entries(NOTES)) writeFileSync(join(notes, name), text);

  // Whoever tries the network finds nobody there.
  const nobody = "http://127.0.0.1:9";
  const { MAXSIM_KERNELS: _kernels, MAXSIM_ISA: _isa, ...inherited } = process.env;
  const env = { ...inherited, HF_HUB_OFFLINE: "1", HTTP_PROXY: nobody, HTTPS_PROXY: nobody, NO_COLOR: "1" };
  const maxsim = (/** @type {string[]} */ args, more = {}, expect = 0) =>
    run(process.execPath, [main, ...args], { cwd: app, env: { ...env, ...more }, expect });

  check("maxsim --version", () => {
    const found = maxsim(["--version"]).stdout.trim();
    if (found !== manifest.version) throw new Error(`found ${found}, expected ${manifest.version}`);
    return found;
  });
  check("maxsim doctor", () => {
    const { ok, checks } = JSON.parse(maxsim(["doctor", "--json"]).stdout);
    if (ok !== true) throw new Error(JSON.stringify(checks));
    const kernels = checks.find((/** @type {{name: string}} */ { name }) => name === "kernels").found;
    const packed = existsSync(join(folder, "native-bindings", "prebuilds"));
    const own = join(realpathSync(folder), "native-bindings", "prebuilds");
    if (packed && !kernels.includes(own)) throw new Error(`the addon of the package is not used: ${kernels}`);
    return kernels.split(", ").slice(0, 2).join(", ");
  });
  for (const [kernels, what] of [
    ["", ""],
    ["wasm", " with the WASM kernels"],
    ["js", " with the TypeScript kernels"],
  ]) {
    const name = `index and search${what}`;
    const place = ["--index", `index-${kernels || "best"}`];
    check(name, () => {
      maxsim(["index", "notes", ...place], { MAXSIM_KERNELS: kernels });
      const answer = JSON.parse(
        maxsim(["search", QUESTION, "--json", ...place], { MAXSIM_KERNELS: kernels }).stdout,
      );
      const ids = answer.hits.map((/** @type {{id: string}} */ { id }) => id);
      if (ids.length !== 3 || ids[0] !== "garden.md") throw new Error(`found ${ids.join(", ")}`);
      return `${QUESTION} -> ${ids[0]} (${answer.hits[0].score.toFixed(2)})`;
    });
  }
  check("errors", () => {
    maxsim(["search", "x", "--index", "nowhere"], {}, 1);
    maxsim(["search", "x", "--bogus"], {}, 2);
    return "status 1 without an index, 2 for an unknown option";
  });
  check("library and types", () => {
    link("@types/node", app, root);
    writeFileSync(join(app, "use.ts"), LIBRARY);
    const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
    const options = ["--module", "nodenext", "--target", "es2022", "--lib", "es2023,esnext.disposable"];
    run(process.execPath, [compiler, ...options, "--types", "node", "--strict", "use.ts"], { cwd: app, env });
    const found = JSON.parse(run(process.execPath, ["use.js"], { cwd: app, env }).stdout);
    const expected = { version: manifest.version, id: "a", code: "INDEX_NOT_FOUND" };
    if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(`found ${JSON.stringify(found)}`);
    return "compiles with the declarations of the package, and runs";
  });
}
