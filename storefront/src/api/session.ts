/** The session. The refresh token is in an HttpOnly cookie (docs/signing-in.md), the access token only
 *  in this page's memory; localStorage says who is signed in. */

import { ApiError } from "./errors";
import { newKey } from "./keys";
import type { components } from "./schema";
import { readStored, store } from "./storage";

type User = components["schemas"]["UserOutput"];
/** The response to signing in, registering, renewing and changing the password; `refresh` is empty. */
type Tokens = { access: string; access_expires_in?: number; refresh?: string };
/** `refresh` was stored by a version without the cookie; the first renewal moves it there. */
type Stored = { user: User; refresh?: string };
type Access = { token: string; until: number; pk: number };

/** The header that asks an endpoint to set the refresh token in the cookie. */
export const INTO_COOKIE = { "Token-Transport": "cookie" };

const KEY = "session";
/** Storage key: the Idempotency-Key of a renewal that has no response yet. */
const RENEWAL = "renewal";
/** Storage key: the user signed out here, and the shop has not confirmed it yet. */
const LEAVING = "signing-out";
/** An access token that expires within this time is renewed before it is used, milliseconds. */
const MARGIN = 20_000;
/** The lifetime of an access token if the response does not name it, seconds. */
const DEFAULT_LIFETIME = 300;
/** Requests about tokens are given up after this time, milliseconds: other tabs wait for them. */
const TIMEOUT = 15_000;

let access: Access | null = null;
let renewing: Promise<string | null> | null = null;
let leaving: Promise<void> | null = null;
const listeners = new Set<() => void>();
let known = readStored<Stored>(KEY);

const others = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("session");
others?.addEventListener("message", (event: MessageEvent<Access>) => {
  access = event.data;
});
globalThis.addEventListener?.("storage", (event) => {
  if (event.key === KEY || event.key === null) reread();
});

function reread(): void {
  known = readStored<Stored>(KEY);
  if (access?.pk !== known?.user.pk) access = null;
  for (const tell of listeners) tell();
}

/** Use this access token, in all tabs. Its lifetime counts from when it arrived, so that the device's
 *  clock may be wrong. */
function keepAccess(tokens: Tokens, pk: number): string {
  const { access: token, access_expires_in: seconds = DEFAULT_LIFETIME } = tokens;
  access = { token, until: Date.now() + seconds * 1000, pk };
  others?.postMessage(access);
  return token;
}

/** The signed-in user's access token if it does not expire soon, or null. */
function freshToken(): string | null {
  if (!access || access.pk !== known?.user.pk) return null;
  return access.until - MARGIN > Date.now() ? access.token : null;
}

/** Do something in one tab at a time. Browsers have no locks over plain http, except on localhost: then
 *  each tab renews for itself, and the shop gives all of them the same token. */
function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  return navigator.locks ? (navigator.locks.request(name, work) as Promise<T>) : work();
}

/** POST to a path to which the cookie is sent. Throws if there is no response within `TIMEOUT`. */
async function post(path: string, body: object, headers: object = {}): Promise<Response> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), TIMEOUT);
  try {
    return await fetch(path, {
      method: "POST",
      headers: { ...INTO_COOKIE, "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
      // Sent even if the page is closed meanwhile.
      keepalive: true,
      signal: timeout.signal,
    });
  } finally {
    clearTimeout(timer);
  }
}

/** A fresh access token; null if the session has ended. Throws ApiError, and what `fetch` throws. */
async function renew(): Promise<string | null> {
  // Another tab may have renewed, or signed out, while this one waited for the lock.
  known = readStored<Stored>(KEY);
  if (!known) return null;
  const fresh = freshToken();
  if (fresh) return fresh;
  // The same key until there is a response, also after a reload: the shop then repeats its response.
  const key = readStored<string>(RENEWAL) ?? newKey();
  store(RENEWAL, key);
  const response = await askTwice(key, known.refresh);
  store(RENEWAL, null);
  const { pk } = known.user;
  if (response.status === 401) {
    // Do not sign out another user who signed in meanwhile.
    if (readStored<Stored>(KEY)?.user.pk === pk) session.end();
    return null;
  }
  const body = await response.json().catch(() => null);
  if (!response.ok || !body) throw new ApiError(response, body);
  if (known.refresh) store(KEY, { user: known.user });
  return keepAccess(body, pk);
}

/** Request new tokens; without a response once more, with the same key. */
async function askTwice(key: string, kept: string | undefined): Promise<Response> {
  const body = kept ? { refresh: kept } : {};
  const ask = () => post("/token/refresh/", body, { "Idempotency-Key": key });
  try {
    const response = await ask();
    if (response.status < 500) return response;
  } catch {
    // Requested again below.
  }
  return ask();
}

/** Tell the shop that the user has signed out. Never throws. */
async function leave(): Promise<void> {
  // Another tab may have done it meanwhile, or a user has signed in.
  if (!readStored<boolean>(LEAVING)) return;
  try {
    const response = await post("/token/logout/", {});
    if (response.ok) store(LEAVING, null);
  } catch {
    // It is tried again at the next load, and when there is a network.
  }
}

export const session = {
  /** The signed-in user, or null. The same object until it changes. */
  user(): User | null {
    return known?.user ?? null;
  },

  subscribe(tell: () => void): () => void {
    listeners.add(tell);
    return () => listeners.delete(tell);
  },

  /** Begin a session with the response to signing in, registering or changing the password. */
  begin(tokens: Tokens, user: User): void {
    store(RENEWAL, null);
    store(LEAVING, null);
    store(KEY, { user });
    known = { user };
    keepAccess(tokens, user.pk);
    reread();
  },

  /** Store changed details of the user. */
  rename(user: User): void {
    if (known) store(KEY, { ...known, user });
    reread();
  },

  /** An access token to send, renewed if it expires soon; null if nobody is signed in. Throws ApiError
   *  if the shop refuses to renew it for another reason, and what `fetch` throws. */
  async access(): Promise<string | null> {
    const fresh = freshToken();
    if (fresh || !known) return fresh;
    renewing ??= withLock("session", renew).finally(() => {
      renewing = null;
    });
    return renewing;
  },

  /** The API refused this access token: the next request renews it, or learns that the session ended. */
  refused(token: string): void {
    if (access?.token === token) access = null;
  },

  /** End the session here, in every tab. Does not call the shop. */
  end(): void {
    access = null;
    store(RENEWAL, null);
    store(KEY, null);
    reread();
  },

  /** Sign out of this browser. Here the session ends at once; the cookie is deleted by the shop's
   *  response, which is requested until it arrives: at each load, and when there is a network. */
  async signOut(): Promise<void> {
    // Moves a refresh token stored by an old version into the cookie, from which it is revoked.
    if (known?.refresh) await session.access().catch(() => null);
    store(LEAVING, true);
    session.end();
    await session.finishLeaving();
  },

  /** Complete a sign-out that the shop has not confirmed, if there is one. Signing in waits for it,
   *  because its response deletes the cookie. Never throws. */
  async finishLeaving(): Promise<void> {
    if (!leaving && readStored<boolean>(LEAVING)) {
      leaving = withLock("signing-out", leave).finally(() => {
        leaving = null;
      });
    }
    await leaving;
  },
};
