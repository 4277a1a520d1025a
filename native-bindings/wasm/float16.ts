// IEEE 754 binary16, the same bits as src/common/float16.ts.

/** Four binary16 numbers as float32, exactly. */
@inline
export function fromFloat16(halves: usize): v128 {
  const bits = v128.load_ext<u16>(halves);
  const magnitude = v128.and(bits, i32x4.splat(0x7fff));
  // As the bits of a float32 the number is 2^112 too small, whether normal or not; the product is exact.
  const scaled = f32x4.mul(i32x4.shl(magnitude, 13), f32x4.splat(5192296858534827628530496329220096.0));
  const special = v128.and(i32x4.gt_s(magnitude, i32x4.splat(0x7bff)), i32x4.splat(0x7f800000));
  const sign = i32x4.shl(i32x4.shr_u(bits, 15), 31);
  return v128.or(v128.or(scaled, special), sign);
}

/** To nearest, ties to even. */
export function toFloat16(value: f32): u32 {
  const x = reinterpret<u32>(value);
  const sign = (x >> 16) & 0x8000;
  const magnitude = x & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // rounds to 65536 or more
  if (magnitude < 0x33000001) return sign; // at most half of the smallest subnormal
  if (magnitude >= 0x38800000) return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >> 13) & 1)) >> 13);
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const shift = 126 - (magnitude >> 23);
  const half = (<u32>1) << (shift - 1);
  const rest = mantissa & (((<u32>1) << shift) - 1);
  const result = mantissa >> shift;
  return sign | (rest > half || (rest == half && (result & 1) != 0) ? result + 1 : result);
}
