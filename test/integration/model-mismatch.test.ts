import { appendFileSync, cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Index } from "../../src/engine/index.js";
import { tempFolder } from "../support/temp-folder.js";

const BUNDLED = new URL("../../index-data/models/maxsim-small-en-v1", import.meta.url).pathname;

it("an index refuses another model than the one it was made with", async () => {
  const root = tempFolder();
  const model = join(root, "model");
  cpSync(BUNDLED, model, { recursive: true });
  const folder = join(root, "index");
  const index = await Index.create(folder, { model });
  await index.add([{ id: "a", text: "a heron stands in the reeds" }]);
  await index.close();

  const same = await Index.open(folder);
  expect((await same.search("bird", { k: 1 })).hits).toHaveLength(1);
  await same.close();

  const config = join(model, "onnx_config.json");
  writeFileSync(
    config,
    readFileSync(config, "utf8").replace('"document_length": 256', '"document_length": 128'),
  );
  const changed = await Index.open(folder);
  await expect(changed.search("bird")).rejects.toMatchObject({
    code: "MODEL_MISMATCH",
    message: expect.stringContaining(model),
  });
  await expect(changed.add([{ id: "b", text: "x" }])).rejects.toMatchObject({ code: "MODEL_MISMATCH" });
  await changed.close();

  appendFileSync(join(model, "tokenizer.json"), "{");
  const broken = await Index.open(folder);
  await expect(broken.search("bird")).rejects.toMatchObject({
    code: "MODEL_INVALID",
    message: expect.stringContaining("tokenizer.json"),
  });
  await broken.close();
});
