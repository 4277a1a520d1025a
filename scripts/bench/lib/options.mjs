// Options of the benchmark command: described once, read with node:util, checked, and printed by --help.

import { parseArgs } from "node:util";
import { BootstrapError } from "../../lib/project.mjs";

/**
 * @typedef {object} OptionSpec
 * @property {"flag" | "integer" | "integers" | "string" | "strings"} type plural types take values between commas
 * @property {any} [default]
 * @property {number} [min] of integers, default 1
 * @property {readonly (string | number)[]} [choices]
 * @property {string} describe
 */

/** Wrong use of the command line: exit status 2. @param {string} message */
export function usageError(message) {
  return new BootstrapError(message, 2);
}

/**
 * Values of the options in `argv`; every option has a value or its default, which may be undefined.
 *
 * @param {Readonly<Record<string, OptionSpec>>} specs
 * @param {readonly string[]} argv
 * @returns {Record<string, any>}
 */
export function readOptions(specs, argv) {
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, { type }]) => [name, { type: type === "flag" ? "boolean" : "string" }]),
  );
  let given;
  try {
    given = parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw usageError(error.message);
  }
  return Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [
      name,
      given[name] === undefined ? spec.default : parsed(name, spec, given[name]),
    ]),
  );
}

function parsed(name, spec, given) {
  switch (spec.type) {
    case "integer":
      return integer(name, spec, given);
    case "integers":
      return given.split(",").map((item) => integer(name, spec, item));
    case "strings":
      return given.split(",").map((item) => chosen(name, spec, item));
    case "string":
      return chosen(name, spec, given);
    default:
      return given;
  }
}

function integer(name, spec, text) {
  const value = Number(text);
  const { min = 1 } = spec;
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < min) {
    throw usageError(`--${name} takes whole numbers from ${min} on, found ${JSON.stringify(text)}`);
  }
  return chosen(name, spec, value);
}

function chosen(name, { choices }, value) {
  if (choices === undefined || choices.includes(value)) return value;
  throw usageError(`--${name} takes ${choices.join(", ")}; found ${JSON.stringify(value)}`);
}

/** Lines for --help. @param {Readonly<Record<string, OptionSpec>>} specs */
export function optionsHelp(specs) {
  const placeholder = {
    flag: "",
    integer: " N",
    integers: " N,...",
    string: " TEXT",
    strings: " NAME,...",
  };
  const lines = Object.entries(specs).map(([name, spec]) => {
    const initial =
      spec.default === undefined || spec.type === "flag"
        ? ""
        : ` (default ${[spec.default].flat().join(",")})`;
    const choices = spec.choices === undefined ? "" : `: ${spec.choices.join(", ")}`;
    return [`  --${name}${placeholder[spec.type]}`, `${spec.describe}${choices}${initial}`];
  });
  const width = Math.max(...lines.map(([left]) => left.length)) + 2;
  return lines.map(([left, right]) => left.padEnd(width) + right).join("\n");
}
