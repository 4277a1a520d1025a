/** Source code with the bundled model: a hit is the function that does what is asked, at its first line, with its name. */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Index } from "../../src/engine/index.js";
import { writeFiles } from "../support/cli.js";
import { tempFolder } from "../support/temp-folder.js";

const folder = join(tempFolder(), "shop");

/** A function too long to share a passage. */
function method(name: string, comment: string, verb: string): string {
  const lines = Array.from(
    { length: 9 },
    (_, i) => `    this.${verb}Step${i}(order, customer, "${verb} ${i}");`,
  );
  return `  /** ${comment} */\n  ${name}(order, customer) {\n${lines.join("\n")}\n  }\n`;
}

const source = [
  'import { Mail } from "./mail.js";\n',
  "export class Checkout {\n  steps = [];\n",
  method("chargeCard", "Takes the money from the credit card of the customer.", "pay"),
  method("printLabel", "Prints the address that is glued on the parcel.", "label"),
  method("sendReceipt", "Writes a mail that says what was bought.", "mail"),
  "}\n",
].join("\n");

let index: Index;

beforeAll(async () => {
  writeFiles(folder, { "checkout.js": source });
  index = await Index.create(join(folder, "../index"));
  await index.sync([folder]);
});

afterAll(async () => {
  await index?.close();
});

it("finds the function, its first line and its name", async () => {
  const { hits } = await index.search("glue the address on a parcel", { k: 1 });
  expect(hits[0]).toMatchObject({
    title: "checkout.js",
    passage: { lineStart: 19, lineEnd: 30, context: "checkout.js > class Checkout > printLabel()" },
  });
  expect(source.split("\n")[18]).toBe("  /** Prints the address that is glued on the parcel. */");
});

it("reads a file again when its name changed, because the name stands over its passages", async () => {
  renameSync(join(folder, "checkout.js"), join(folder, "till.js"));
  await index.sync();
  const { hits } = await index.search("glue the address on a parcel", { k: 1 });
  expect(hits[0]!.passage.context).toBe("till.js > class Checkout > printLabel()");
  writeFileSync(join(folder, "till.js"), source.replace("Prints", "Draws"));
  await index.sync();
  const again = await index.search("draws the address", { k: 1 });
  expect(again.hits[0]!.text).toMatch(/^\/\*\* Draws the address/);
});
