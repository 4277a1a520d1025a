/** What a service says of a failure, fit to be shown: short, on one line, without keys. */

const MAX_CHARACTERS = 300;
/** Headers whose values nobody must read in a message or a log. */
const SECRET_HEADER = /authorization|key|token|secret|cookie/i;
/** Levels of JSON that are searched for a message: a service may nest any number of them. */
const MAX_DEPTH = 8;
/** Shorter values are no keys, and would take pieces out of ordinary words. */
const MIN_SECRET_CHARACTERS = 6;

/** The secrets among the values of headers; of `Bearer x` only `x`. */
export function secretsOf(headers: Headers): string[] {
  const secrets: string[] = [];
  headers.forEach((value, name) => {
    const secret = SECRET_HEADER.test(name) ? value.replace(/^\w+\s+/, "") : "";
    if (secret.length >= MIN_SECRET_CHARACTERS) secrets.push(secret);
  });
  return secrets;
}

/** `text` on one line without control characters and secrets, at most 300 characters. */
export function shown(text: string, secrets: readonly string[]): string {
  let line = text;
  for (const secret of secrets) line = line.replaceAll(secret, "***");
  line = line.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  // One character more than fits, if each is a surrogate pair.
  const characters = Array.from(line.slice(0, 2 * MAX_CHARACTERS + 2));
  return characters.length > MAX_CHARACTERS ? `${characters.slice(0, MAX_CHARACTERS - 3).join("")}...` : line;
}

/**
 * The message in the body of an error: of `{message}`, `{error}`, `{error: {message}}`, `{detail}` and `{detail: [{loc, msg}]}`, or a
 * short plain text; "" for a web page.
 */
export function serviceMessage(body: string): string {
  const text = body.trim();
  if (!/^[[{"]/.test(text)) return text.startsWith("<") ? "" : text;
  try {
    return messageOf(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

/** The same of JSON that was read: what is no object nor array is the message itself. */
export function messageOf(json: unknown): string {
  return typeof json === "object" && json !== null ? messageIn(json, 0) : String(json);
}

/** JSON as `shown` has it. */
export function shownJson(json: unknown, secrets: readonly string[]): string {
  try {
    return shown(JSON.stringify(json), secrets);
  } catch (error) {
    if (error instanceof RangeError) return "JSON of too many levels";
    throw error;
  }
}

function messageIn(value: unknown, depth: number): string {
  if (typeof value === "string") return value;
  if (depth === MAX_DEPTH) return "";
  const inside = (other: unknown): string => messageIn(other, depth + 1);
  if (Array.isArray(value)) {
    return value
      .map(inside)
      .filter((text) => text !== "")
      .join("; ");
  }
  if (typeof value !== "object" || value === null) return "";
  const { loc, ...fields } = value as Record<string, unknown>;
  const found = ["message", "msg", "error", "detail", "errors"].map((name) => inside(fields[name]));
  const message = found.find((text) => text !== "") ?? "";
  return message !== "" && Array.isArray(loc) ? `${loc.join(".")}: ${message}` : message;
}
