// What the module exports: kernels on addresses in linear memory, and where the caller's part of it begins.

export { putQuery } from "./dot";
export { approximate, highestCode, maxsim, widenCodes } from "./maxsim";
export { assign, assignInRange, beginAssign, beginAssignInRange, scores } from "./centroid";
export { sortTop, top } from "./top";
export { gatherList, gatherSums } from "./gather";
export { selectTop } from "./select-top";
export { compress } from "./residual";
export { STAGING as staging } from "./layout";
