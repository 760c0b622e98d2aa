/** The one door to the API: typed by its schema, one kind of error, the server's own clock. */

import { language } from "../i18n/language";
import { connection } from "./connection";
import { ApiError, NoAnswer } from "./errors";
import { makeApi } from "./requests";
import type { components, paths } from "./schema";
import { INTO_COOKIE, session } from "./session";

export type Schemas = components["schemas"];
export type Product = Schemas["ProductOutput"];
/** With its pictures, as its own page needs it. */
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

/** Now, in milliseconds, by the server's clock: phones are often minutes off. */
export function serverNow(): number {
  return Date.now() + ahead;
}

/** What gives out tokens, beside renewing. */
const TOKEN_PATHS: ReadonlySet<string> = new Set<keyof paths>([
  "/login/",
  "/login/phone/confirm/",
  "/registration/",
  "/password/change/",
  "/password/set/",
]);

/** What every request says, and what every answer tells. */
function around(fetch: (request: Request) => Promise<Response>) {
  return async (request: Request, schemaPath: string): Promise<Response> => {
    request.headers.set("Accept-Language", language());
    if (TOKEN_PATHS.has(schemaPath)) {
      for (const [name, value] of Object.entries(INTO_COOKIE)) request.headers.set(name, value);
      // The answer to a sign-out under way would take the new cookie away.
      await session.finishLeaving();
    }
    const response = await fetch(request);
    const date = Date.parse(response.headers.get("Date") ?? "");
    // The header has whole seconds; a difference below that says nothing.
    if (date && Math.abs(date - Date.now()) > 2000) ahead = date - Date.now();
    return response;
  };
}

/** With the token of whoever is signed in. Where the shop refuses it before its time, once more with
 *  a new one: nothing was done yet. A session that ended elsewhere is over here then. */
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

/** For everybody: no token is sent. */
export const publicApi = makeApi(around((request) => fetch(request)));

/** For who is signed in. */
export const userApi = makeApi(around(signedFetch));

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The answer's body. Raises ApiError, or NoAnswer where nothing came back. */
export async function dataOf<T>(call: Promise<Answer<T>>): Promise<T> {
  return (await dataAndResponse(call)).data;
}

/** The answer's body with its headers. Raises as `dataOf` does. */
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

/** A body as a form, for files (`bodySerializer`). What is left out, or null, is not in it. */
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

/** The `cursor` of the next page, from the answer's `Link` header (RFC 8288), or null. */
export function nextCursor(response: Response): string | null {
  const link = /<([^>]+)>;\s*rel="next"/.exec(response.headers.get("Link") ?? "");
  return link?.[1] ? new URL(link[1], location.origin).searchParams.get("cursor") : null;
}
