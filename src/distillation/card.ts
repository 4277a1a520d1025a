/** The README.md of the training data: its head tells `datasets` which files are which data set. */
import { QUERIES_NAME } from "./formats.js";
import type { WrittenFile } from "./training-files.js";

export const CARD_NAME = "README.md";

/**
 * The names that `load_dataset(folder, name)` knows: "pairs", "triplets", ..., and "train", "queries" and "documents" for PyLate's
 * knowledge distillation, as in its documentation. Metadata as on https://huggingface.co/docs/hub/datasets-manual-configuration.
 */
export function* cardLines(files: readonly WrittenFile[]): Generator<string> {
  // A file without a row has no columns, which `datasets` refuses.
  const sets = files.filter(({ name, rows }) => rows > 0 && name !== QUERIES_NAME);
  yield "---\nconfigs:\n";
  for (const { name } of sets) {
    yield `  - config_name: ${setName(name)}\n    data_files:\n      - split: train\n        path: ${name}\n`;
  }
  yield "---\n\n# Training data\n\nWritten by `maxsim distill`; `report.json` says from what, and how far to trust it.\n\n";
  yield "```python\nfrom datasets import load_dataset\n\n";
  for (const { name, rows } of sets) {
    const set = setName(name);
    yield `${set.replace("-", "_")} = load_dataset(".", "${set}", split="train")  # rows: ${rows}\n`;
  }
  yield "```\n";
}

function setName(file: string): string {
  return file.replace(/^kd\//, "").replace(/\.jsonl$/, "");
}
