import type { Command } from "commander";
import { MaxsimError } from "../../common/errors.js";
import { type Check, runDoctor } from "../../engine/doctor.js";
import type { CommandContext } from "../context.js";
import { createColors } from "../render/color.js";
import { renderJson } from "../render/json.js";

export function registerDoctor(program: Command, context: CommandContext): void {
  program
    .command("doctor")
    .description("check this machine and say which kernels, model and libraries are used, and why")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExample:\n  maxsim doctor")
    .action(async (options: { json?: boolean }) => {
      const checks = await runDoctor();
      context.stdout.write(
        options.json === true
          ? renderJson({ ok: checks.every(({ ok }) => ok), checks })
          : render(checks, context),
      );
      const failed = checks.filter(({ ok }) => !ok).length;
      if (failed > 0) throw new MaxsimError("INTERNAL", `${failed} of ${checks.length} checks failed`);
    });
}

function render(checks: readonly Check[], context: CommandContext): string {
  const colors = createColors(context.stdout, context.env);
  return checks
    .map(({ name, ok, found, details }) => {
      const mark = ok ? colors.green("ok") : colors.red("failed");
      return [`${mark}  ${colors.bold(name)}  ${found}`, ...details.map((line) => `      ${line}`)].join(
        "\n",
      );
    })
    .join("\n")
    .concat("\n");
}
