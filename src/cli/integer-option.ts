import { InvalidArgumentError } from "commander";

/** A parser for commander: whole numbers in a range; anything else is a usage error that names the range. */
export function integerOption(name: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`${name} takes a whole number from ${min} to ${max}, found "${text}".`);
    }
    return value;
  };
}
