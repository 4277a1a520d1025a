/** A child that looks at indexes and performs operations on them, undisturbed: see observer-process.mjs. */
import { serveCases } from "../lib/case-server.mjs";
import { Performer } from "./context.mjs";
import { loadPackage, observe, strayFiles } from "./observe.mjs";
import { missingOperation } from "./operations.mjs";

serveCases(async ({ dist }) => {
  const api = await loadPackage(dist);
  return async ({ action, folder, model, notes, operations }) => {
    if (action === "missing") return missingOperation(api, operations) ?? null;
    if (action === "observe") return observe(api, folder, model);
    if (action === "strays") return strayFiles(folder);
    const performer = new Performer(api, { folder, model, notes });
    try {
      const states = [];
      for (const operation of operations) {
        await performer.perform(operation);
        if (action === "goldens") states.push(await observe(api, folder, model));
      }
      return states;
    } finally {
      await performer.close();
    }
  };
});
