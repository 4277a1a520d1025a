/** Random changes of bytes: a few at a time, anywhere, or of numbers to what numbers should not be. */

const NUMBERS = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

const CHANGES = [
  function flip(bytes, random) {
    bytes[random.below(bytes.length)] ^= 1 << random.below(8);
    return bytes;
  },
  function set(bytes, random) {
    bytes[random.below(bytes.length)] = random.below(256);
    return bytes;
  },
  function number(bytes, random) {
    if (bytes.length < 4) return bytes;
    const at = random.below(bytes.length >> 2) * 4;
    bytes.writeUInt32LE(NUMBERS[random.below(NUMBERS.length)], at);
    return bytes;
  },
  function cut(bytes, random) {
    return bytes.subarray(0, random.below(bytes.length));
  },
  function drop(bytes, random) {
    const from = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + 1 + random.below(64))]);
  },
  function repeat(bytes, random) {
    const from = random.below(bytes.length);
    const part = bytes.subarray(from, from + 1 + random.below(512));
    return Buffer.concat([bytes.subarray(0, from), part, bytes.subarray(from)]);
  },
  function exchange(bytes, random) {
    const length = 1 + random.below(Math.min(256, bytes.length));
    const [a, b] = [random.below(bytes.length - length + 1), random.below(bytes.length - length + 1)];
    const part = Buffer.from(bytes.subarray(a, a + length));
    bytes.copy(bytes, a, b, b + length);
    part.copy(bytes, b);
    return bytes;
  },
  function fill(bytes, random) {
    const from = random.below(bytes.length);
    return bytes.fill(random.below(2) * 255, from, Math.min(from + 1 + random.below(256), bytes.length));
  },
];

/** Bytes with one to four random changes. */
export function mutate(original, random) {
  let bytes = Buffer.from(original);
  for (let i = random.below(4); i >= 0 && bytes.length > 0; i--) {
    bytes = CHANGES[random.below(CHANGES.length)](bytes, random);
  }
  return Buffer.from(bytes);
}
