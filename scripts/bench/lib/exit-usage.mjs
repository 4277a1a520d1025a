// Preloaded into a process (--import): tells on descriptor 3 what the process used, when it ends.

import { writeSync } from "node:fs";

process.on("exit", () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  writeSync(3, JSON.stringify({ processor: (userCPUTime + systemCPUTime) / 1e6, peakBytes: maxRSS * 1024 }));
});
