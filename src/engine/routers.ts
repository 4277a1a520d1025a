/** Routers of a codec, made when they are first asked for. */
import type { Codec } from "../codec/codec.js";
import { MaxsimError } from "../common/errors.js";
import type { KernelBackend } from "../kernels/backend.js";
import { type Router, type RouterName, ScanRouter } from "../search/router.js";

/** Graphs live as long as their codec is in use. */
const graphs = new WeakMap<Codec, Promise<Router>>();

/** Errors: INVALID_ARGUMENT when hnswlib-node, which is optional, is not installed. */
export async function routerFor(name: RouterName, codec: Codec, kernels: KernelBackend): Promise<Router> {
  if (name === "scan") return new ScanRouter(kernels, codec.codebook);
  const known = graphs.get(codec);
  if (known !== undefined) return known;
  const building = buildGraph(codec);
  graphs.set(codec, building);
  building.catch(() => graphs.delete(codec));
  return building;
}

async function buildGraph(codec: Codec): Promise<Router> {
  let module: typeof import("../search/hnsw-router.js");
  try {
    module = await import("../search/hnsw-router.js");
  } catch (cause) {
    throw new MaxsimError(
      "INVALID_ARGUMENT",
      `router "hnsw" needs the package hnswlib-node: ${String(cause)}`,
      {
        hint: 'Install it with `npm install hnswlib-node`, or use router "scan".',
        cause,
      },
    );
  }
  return new module.HnswRouter(codec.codebook);
}
