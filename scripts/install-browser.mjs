#!/usr/bin/env node
/**
 * Installs the browser that tests open pages in, where that is possible within a few minutes, and says so where it is not:
 * those tests are skipped then. Ends with status 0 in any case.
 */
import { hasProgram, installPrograms } from "./lib/install-programs.mjs";

if (hasProgram("chromium")) console.log("chromium is there");
else {
  const chromium = { program: "chromium", package: "chromium", use: "tests that open pages in a browser" };
  if (installPrograms([chromium], { seconds: 240 }).length === 0) console.log("chromium was installed");
}
