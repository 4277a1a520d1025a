/** Where a service is and the key to it, from options and environment variables. */
import { checkString, invalidArgument } from "../../common/check.js";
import { MaxsimError } from "../../common/errors.js";
import { checkUrl } from "../http.js";

export interface ConnectionOptions {
  /** Default: the environment variable of the service, which is sent to the service and the address of the environment alone. */
  readonly apiKey?: string;
  /** Where the service is. Default: its environment variable, or its public address. */
  readonly baseUrl?: string;
}

/** What is known of a service before it is asked for anything. */
export interface ServicePlace {
  readonly name: string;
  /** Environment variables with the key, the first that is set counts. None: the service needs no key. */
  readonly keyVariables: readonly [string, ...string[]];
  readonly baseUrlVariable: string;
  /** The public address for a key; undefined where there is none. */
  readonly publicUrl: (apiKey: string) => string | undefined;
  /** The segment of the path before "rerank"; "" for none. */
  readonly version: string;
}

export interface Connection {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly keyVariable: string;
}

/**
 * Errors: UNAUTHORIZED without a key for a public service (one of your own may do without), INVALID_ARGUMENT for a wrong address or
 * without one.
 */
export function connectionOf(place: ServicePlace, options: ConnectionOptions): Connection {
  const { name, keyVariables, baseUrlVariable } = place;
  const keyVariable = keyVariables[0];
  const fromVariable = fromEnvironment(baseUrlVariable);
  const own = options.baseUrl ?? (fromVariable === "" ? undefined : fromVariable);
  const apiKey =
    options.apiKey === undefined
      ? environmentKey(place, options.baseUrl)
      : checkString("apiKey", options.apiKey).trim();
  if (own === undefined && apiKey === "" && place.publicUrl("") !== undefined) {
    throw new MaxsimError("UNAUTHORIZED", `there is no key for ${name}`, {
      hint: `Set the environment variable ${keyVariable}, or give the option apiKey.`,
    });
  }
  const base = own ?? place.publicUrl(apiKey);
  const named = options.baseUrl === undefined && fromVariable !== "" ? baseUrlVariable : "baseUrl";
  if (base === undefined || base === "") {
    throw invalidArgument(named, `the address of ${name}, such as http://localhost:8080`, base);
  }
  return {
    url: endpoint(checkUrl(named, base), place.version),
    headers: apiKey === "" ? {} : { authorization: `Bearer ${apiKey}` },
    keyVariable,
  };
}

/**
 * The key of the environment, "" for none. It goes where it was meant to go, the service or the address of the environment, and not to
 * whatever server a program names; a service without a public address has no other meaning.
 */
function environmentKey(place: ServicePlace, baseUrl: unknown): string {
  const key = place.keyVariables.map(fromEnvironment).find((found) => found !== "") ?? "";
  const usual = fromEnvironment(place.baseUrlVariable) || place.publicUrl(key);
  if (baseUrl === undefined || place.publicUrl(key) === undefined) return key;
  return originOf(baseUrl) === originOf(usual) ? key : "";
}

/** Undefined for what is no address. */
function originOf(address: unknown): string | undefined {
  return typeof address === "string" && URL.canParse(address) ? new URL(address).origin : undefined;
}

function fromEnvironment(variable: string): string {
  return process.env[variable]?.trim() ?? "";
}

/** `base` may be the address of the host, or go on to the version, or to the end. */
function endpoint(base: URL, version: string): string {
  const path = base.pathname.replace(/\/+$/, "");
  const url = new URL(base);
  if (path.endsWith("/rerank")) url.pathname = path;
  else if (version === "" || path.endsWith(`/${version}`)) url.pathname = `${path}/rerank`;
  else url.pathname = `${path}/${version}/rerank`;
  url.hash = "";
  return url.href;
}
