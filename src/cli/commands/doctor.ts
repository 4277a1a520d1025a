import type { Command } from "commander";
import { MaxsimError } from "../../common/errors.js";
import { type Check, runDoctor } from "../../engine/doctor.js";
import { type OutputOptions, withOutputOptions } from "../common-options.js";
import type { CommandContext } from "../context.js";
import { createColors } from "../render/color.js";
import { renderJson } from "../render/json.js";
import { multiLine, singleLine } from "../render/plain-text.js";

interface DoctorOptions extends OutputOptions {
  readonly model?: string;
}

export function registerDoctor(program: Command, context: CommandContext): void {
  const command = program
    .command("doctor")
    .description("check this machine and say which kernels, model and libraries are used, and why")
    .option("--model <name>", "model to try (default: the bundled model)");
  withOutputOptions(command)
    .addHelpText("after", "\nExamples:\n  maxsim doctor\n  maxsim doctor --model ./my-colbert --json")
    .action(async ({ model, json }: DoctorOptions) => {
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
