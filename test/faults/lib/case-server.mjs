/** The child of `runCases`. What nobody caught ends the process, as it would end that of a user. */

/**
 * @param {(setup: any) => Promise<(test: any) => Promise<unknown>> | ((test: any) => Promise<unknown>)} prepare
 *   gets the setup once and returns what handles a case; its result survives JSON.
 */
export function serveCases(prepare) {
  let handle;
  process.on("message", async (message) => {
    try {
      if (handle === undefined) {
        handle = await prepare(message.setup);
        process.send({ kind: "done", value: null });
        return;
      }
      const value = await handle(message.test);
      process.send({ kind: "done", value });
    } catch (error) {
      process.send({
        kind: "threw",
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
  });
  process.on("disconnect", () => process.exit(0));
}
