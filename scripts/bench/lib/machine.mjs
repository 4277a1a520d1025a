// The machine that was measured, for the top of a report.

import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { selectKernels } from "../../../dist/kernels/select.js";

export function machineFacts() {
  const { info } = selectKernels();
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown processor",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    load: loadavg().map((value) => Number(value.toFixed(2))),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    kernels: `${info.backend} ${info.isa}`,
  };
}

/** One line. @param {ReturnType<typeof machineFacts>} facts */
export function machineLine(facts) {
  const { cpu, cores, memoryBytes, load, node, platform, kernels } = facts;
  const memory = `${Math.round(memoryBytes / 2 ** 30)} GiB`;
  return `${cpu}, ${cores} cores, ${memory}, load ${load.join(" ")}, Node ${node}, ${platform}, kernels ${kernels}`;
}
