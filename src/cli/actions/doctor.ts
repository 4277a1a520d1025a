/** `maxsim doctor`: what this machine gives the engine. */
import { MaxsimError } from "../../common/errors.js";
import { type Check, runDoctor } from "../../engine/doctor.js";
import type { DoctorOptions } from "../commands/doctor.js";
import type { CommandContext } from "../context.js";
import { createColors } from "../render/color.js";
import { renderJson } from "../render/json.js";
import { multiLine, singleLine } from "../render/plain-text.js";

export async function examine({ model, json }: DoctorOptions, context: CommandContext): Promise<void> {
  const checks = await runDoctor(model);
  const failed = checks.filter(({ ok }) => !ok);
  context.stdout.write(
    json === true ? renderJson({ ok: failed.length === 0, checks }) : render(checks, context),
  );
  if (failed.length === 0) return;
  const names = failed.map(({ name }) => name).join(", ");
  throw new MaxsimError("INTERNAL", `${failed.length} of ${checks.length} checks failed: ${names}`, {
    hint: "What was found is listed above.",
  });
}

function render(checks: readonly Check[], context: CommandContext): string {
  const colors = createColors(context.stdout, context.env);
  return checks
    .map(({ name, ok, found, details }) => {
      const mark = ok ? colors.green("ok    ") : colors.red("failed");
      const head = `${mark}  ${colors.bold(name)}: ${singleLine(found)}`;
      return [head, ...details.map((line) => `        ${multiLine(line)}`)]
        .map((line) => `${line}\n`)
        .join("");
    })
    .join("");
}
