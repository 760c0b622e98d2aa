/** The one door to the API: typed by its schema, one kind of error, the server's own clock. */

import createClient, { type Middleware } from "openapi-fetch";
import { language } from "../i18n/language";
import { ApiError, NoAnswer } from "./errors";
import type { components, paths } from "./schema";
import { session } from "./session";

export type Schemas = components["schemas"];
export type Product = Schemas["ProductOutput"];
export type Order = Schemas["OrderOutput"];
export type Line = Schemas["LineOutput"];
export type Track = Schemas["TrackOutput"];
export type TrackStory = Schemas["TrackStoryOutput"];
export type TrackStatus = Schemas["TrackStatusEnum"];
export type PaymentStatus = Schemas["PaymentStatusEnum"];
export type Review = Schemas["ReviewOutput"];
export type Category = Schemas["CategoryEnum"];
export type User = Schemas["UserOutput"];

let ahead = 0;

/** Now, in milliseconds, by the server's clock: phones are often minutes off. */
export function serverNow(): number {
  return Date.now() + ahead;
}

const everyRequest: Middleware = {
  onRequest({ request }) {
    request.headers.set("Accept-Language", language());
    return request;
  },
  onResponse({ response }) {
    const date = Date.parse(response.headers.get("Date") ?? "");
    // The header has whole seconds; a difference below that says nothing.
    if (date && Math.abs(date - Date.now()) > 2000) ahead = date - Date.now();
    return undefined;
  },
};

const signed: Middleware = {
  async onRequest({ request }) {
    const token = await session.access();
    if (token) request.headers.set("Authorization", `Bearer ${token}`);
    return request;
  },
  onResponse({ request, response }) {
    const sent = request.headers.get("Authorization");
    if (response.status === 401 && sent) session.refused(sent.slice("Bearer ".length));
    return undefined;
  },
};

const options = { baseUrl: globalThis.location.origin, fetch: (r: Request) => fetch(r) };

/** For everybody: no token is sent. */
export const open = createClient<paths>(options);
open.use(everyRequest);

/** For who is signed in. */
export const mine = createClient<paths>(options);
mine.use(everyRequest, signed);

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The answer's body. Raises ApiError, or NoAnswer where nothing came back. */
export async function read<T>(call: Promise<Answer<T>>): Promise<T> {
  return (await readWhole(call)).data;
}

/** The answer's body with its headers. Raises as `read` does. */
export async function readWhole<T>(
  call: Promise<Answer<T>>,
): Promise<{ data: T; response: Response }> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new NoAnswer(error);
  }
  if (!answer.response.ok) throw new ApiError(answer.response, answer.error);
  return { data: answer.data as T, response: answer.response };
}

/** The `cursor` of the next page, from the answer's `Link` header (RFC 8288), or null. */
export function nextCursor(response: Response): string | null {
  const link = /<([^>]+)>;\s*rel="next"/.exec(response.headers.get("Link") ?? "");
  return link?.[1] ? new URL(link[1], location.origin).searchParams.get("cursor") : null;
}
