/** The API client. All requests go through it: typed by the schema, with one kind of error, and with
 *  the server's clock. */

import { language } from "../i18n/language";
import { connection } from "./connection";
import { ApiError, NoAnswer } from "./errors";
import { makeApi } from "./requests";
import type { components, paths } from "./schema";
import { INTO_COOKIE, session } from "./session";

export type Schemas = components["schemas"];
export type Product = Schemas["ProductOutput"];
/** A product with all its pictures, for its own page. */
export type ProductDetail = Schemas["ProductDetailOutput"];
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

/** The current time by the server's clock, in milliseconds: phones' clocks are often minutes off. */
export function serverNow(): number {
  return Date.now() + ahead;
}

/** Set the server's clock from a response. Not from one that may have been stored by a cache: its `Date`
 *  is then the time it was stored, up to a day ago. */
function readClock(response: Response): void {
  const date = Date.parse(response.headers.get("Date") ?? "");
  if (!date || response.headers.get("Cache-Control")?.includes("max-age")) return;
  const difference = date - Date.now();
  // The header has whole seconds, and takes a while to arrive.
  ahead = Math.abs(difference) > 2000 ? difference : 0;
}

/** Endpoints that issue tokens; renewing them is in session.ts. */
const TOKEN_PATHS: ReadonlySet<string> = new Set<keyof paths>([
  "/login/",
  "/login/phone/confirm/",
  "/registration/",
  "/password/change/",
  "/password/set/",
]);

/** Sends requests with the headers they all need, and reads the server's clock from responses. */
function withHeaders(fetch: (request: Request) => Promise<Response>) {
  return async (request: Request, schemaPath: string): Promise<Response> => {
    request.headers.set("Accept-Language", language());
    if (TOKEN_PATHS.has(schemaPath)) {
      for (const [name, value] of Object.entries(INTO_COOKIE)) request.headers.set(name, value);
      // A sign-out that is still under way would delete the new cookie.
      await session.finishLeaving();
    }
    const response = await fetch(request);
    readClock(response);
    return response;
  };
}

/** Send a request with the user's access token. If it is refused early (401: nothing was done), send
 *  it once more with a new one. If the session has ended elsewhere, it ends here too. */
async function signedFetch(request: Request): Promise<Response> {
  const token = await session.access();
  if (!token) return fetch(request);
  const spare = request.clone();
  const response = await fetch(signedWith(token, request));
  if (response.status !== 401) return response;
  session.refused(token);
  const next = await session.access();
  return next ? fetch(signedWith(next, spare)) : response;
}

function signedWith(token: string, request: Request): Request {
  request.headers.set("Authorization", `Bearer ${token}`);
  return request;
}

/** For public endpoints: sends no token. */
export const publicApi = makeApi(withHeaders((request) => fetch(request)));

/** For endpoints that need a user: sends the access token. */
export const userApi = makeApi(withHeaders(signedFetch));

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The response's body. Throws ApiError for an error response, NoAnswer if there was none. */
export async function dataOf<T>(call: Promise<Answer<T>>): Promise<T> {
  return (await dataAndResponse(call)).data;
}

/** The response's body, and the response for its headers. Throws as `dataOf` does. */
export async function dataAndResponse<T>(
  call: Promise<Answer<T>>,
): Promise<{ data: T; response: Response }> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    connection.failed();
    throw new NoAnswer(error);
  }
  connection.answered();
  if (!answer.response.ok) throw new ApiError(answer.response, answer.error);
  return { data: answer.data as T, response: answer.response };
}

/** A body as multipart form, for files (`bodySerializer`). Omits undefined and null. */
export function asForm(body: object = {}): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(body)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each instanceof Blob) form.append(name, each);
      else if (each !== undefined && each !== null) form.append(name, String(each));
    }
  }
  return form;
}

/** The `cursor` of the next page, from the response's `Link` header (RFC 8288), or null. */
export function nextCursor(response: Response): string | null {
  const link = /<([^>]+)>;\s*rel="next"/.exec(response.headers.get("Link") ?? "");
  return link?.[1] ? new URL(link[1], location.origin).searchParams.get("cursor") : null;
}
