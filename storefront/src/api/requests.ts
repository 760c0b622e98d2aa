/** Builds requests to the API, typed by its schema. Types and results are those of openapi-fetch. Its
 *  implementation is not used: it can do much more than this shop needs, for 2 kB at every first
 *  visit. */

import type { Client } from "openapi-fetch";
import type { paths } from "./schema";

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
export type Api = Pick<Client<paths>, Method>;

type Values = Record<string, unknown>;
type Options = {
  params?: { path?: Values; query?: Values; header?: Values };
  body?: unknown;
  bodySerializer?: (body: unknown) => BodyInit;
  parseAs?: "json" | "blob";
};

/** An API client. `send` sends each request; it also gets its path in the schema ("/product/{id}/"). */
export function makeApi(send: (request: Request, schemaPath: string) => Promise<Response>): Api {
  const calls = (["GET", "POST", "PUT", "PATCH", "DELETE"] satisfies Method[]).map((method) => [
    method,
    async (path: string, options: Options = {}) => {
      const response = await send(prepare(method, path, options), path);
      if (!response.ok) return { error: readError(await response.text()), response };
      if (options.parseAs === "blob") return { data: await response.blob(), response };
      const text = await response.text();
      return { data: text ? JSON.parse(text) : undefined, response };
    },
  ]);
  return Object.fromEntries(calls);
}

function prepare(method: Method, path: string, options: Options): Request {
  const { params = {}, body, bodySerializer = JSON.stringify } = options;
  const filled = path.replace(/\{(\w+)\}/g, (_, name) =>
    encodeURIComponent(String(params.path?.[name])),
  );
  const url = new URL(filled, location.origin);
  for (const [name, value] of Object.entries(params.query ?? {})) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined && each !== null) url.searchParams.append(name, String(each));
    }
  }
  const headers = new Headers();
  for (const [name, value] of Object.entries(params.header ?? {})) {
    if (value !== undefined && value !== null) headers.set(name, String(value));
  }
  const sent = body === undefined ? null : bodySerializer(body);
  // For a form the browser sets the type, with its boundary.
  if (typeof sent === "string") headers.set("Content-Type", "application/json");
  return new Request(url, { method, headers, body: sent });
}

/** The body of an error response; a proxy in between may not answer in JSON. */
function readError(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
