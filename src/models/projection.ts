/** Dense layers after the encoder, in plain TypeScript: y = activation(W x + b) [+ R x]. */
import type { DenseLayer } from "./settings.js";

/** Applies `layers` in order to f32 `[rows][layers[0].inFeatures]`; returns f32 `[rows][last.outFeatures]`. */
export function applyProjection(
  layers: readonly DenseLayer[],
  rows: number,
  input: Float32Array,
): Float32Array {
  return layers.reduce((x, layer) => applyLayer(layer, rows, x), input);
}

function applyLayer(layer: DenseLayer, rows: number, input: Float32Array): Float32Array {
  const { inFeatures, outFeatures, weight, bias, residual } = layer;
  const activate = ACTIVATIONS[layer.activation];
  const out = new Float32Array(rows * outFeatures);
  for (let row = 0; row < rows; row++) {
    const x = input.subarray(row * inFeatures, (row + 1) * inFeatures);
    for (let j = 0; j < outFeatures; j++) {
      let y = activate(dot(weight, j * inFeatures, x) + (bias?.[j] ?? 0));
      if (residual === "identity") y += x[j]!;
      else if (residual !== undefined) y += dot(residual, j * inFeatures, x);
      out[row * outFeatures + j] = y;
    }
  }
  return out;
}

/** Four partial sums in float64: fast enough for one text, and independent of how texts are grouped. */
function dot(weights: Float32Array, at: number, x: Float32Array): number {
  const n = x.length;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i + 3 < n; i += 4) {
    a += weights[at + i]! * x[i]!;
    b += weights[at + i + 1]! * x[i + 1]!;
    c += weights[at + i + 2]! * x[i + 2]!;
    d += weights[at + i + 3]! * x[i + 3]!;
  }
  for (; i < n; i++) a += weights[at + i]! * x[i]!;
  return a + b + c + d;
}

const ACTIVATIONS: Record<DenseLayer["activation"], (x: number) => number> = {
  identity: (x) => x,
  tanh: Math.tanh,
  relu: (x) => Math.max(0, x),
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  silu: (x) => x / (1 + Math.exp(-x)),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
};

/** Abramowitz and Stegun 7.1.26: absolute error below 1.5e-7, the size of float32 rounding. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const poly =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const y = 1 - poly * Math.exp(-x * x);
  return x < 0 ? -y : y;
}
