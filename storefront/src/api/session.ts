/** Who is signed in. The refresh token is in a cookie that no script reads (docs/signing-in.md), the
 *  access token in this page's memory; what is stored says that somebody is signed in, and who. */

import { ApiError } from "./errors";
import { newKey } from "./keys";
import type { components } from "./schema";
import { readStored, store } from "./storage";

type User = components["schemas"]["UserOutput"];
/** What signing in, joining, renewing or a new password answers; `refresh` is empty. */
type Tokens = { access: string; access_expires_in?: number; refresh?: string };
/** `refresh`: of before there was a cookie; it moves there at the first renewal. */
type Stored = { user: User; refresh?: string };
type Access = { token: string; until: number; pk: number };

/** An address that gives out tokens is asked to put the refresh token into the cookie. */
export const INTO_COOKIE = { "Token-Transport": "cookie" };

const KEY = "session";
/** The Idempotency-Key of a renewal that was not answered yet. */
const RENEWAL = "renewal";
/** Somebody signed out here, and the shop has not heard it. */
const LEAVING = "signing-out";
/** An access token this near its end is renewed first, milliseconds. */
const MARGIN = 20_000;
/** Where an answer does not say how long its access token is good, seconds. */
const A_LIFE = 300;
/** An answer that has not come by then does not come, milliseconds: other tabs wait for it. */
const PATIENCE = 15_000;

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

/** Its life is counted from when it came, in seconds that the answer names: no clock is asked. */
function keepAccess({ access: token, access_expires_in: seconds = A_LIFE }: Tokens, pk: number) {
  access = { token, until: Date.now() + seconds * 1000, pk };
  others?.postMessage(access);
  return token;
}

/** A token of whoever is signed in now that is good for a while, or null. */
function freshToken(): string | null {
  if (!access || access.pk !== known?.user.pk) return null;
  return access.until - MARGIN > Date.now() ? access.token : null;
}

/** Let one tab at a time do it; without locks (plain http on another machine) each for itself, and
 *  the shop gives all of them one token. */
function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
  return navigator.locks ? (navigator.locks.request(name, work) as Promise<T>) : work();
}

/** Post to an address below the cookie's path. Raises where no answer comes in time. */
async function post(path: string, body: object, headers: object = {}): Promise<Response> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE);
  try {
    return await fetch(path, {
      method: "POST",
      headers: { ...INTO_COOKIE, "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
      // Also where the page is closed meanwhile.
      keepalive: true,
      signal: patience.signal,
    });
  } finally {
    clearTimeout(timer);
  }
}

async function renew(): Promise<string | null> {
  // Another tab may have renewed, or signed out, while this one waited.
  known = readStored<Stored>(KEY);
  if (!known) return null;
  const fresh = freshToken();
  if (fresh) return fresh;
  // Kept until it is answered, through reloads: the shop gives a lost answer again to its key.
  const key = readStored<string>(RENEWAL) ?? newKey();
  store(RENEWAL, key);
  const response = await askTwice(key, known.refresh);
  store(RENEWAL, null);
  const { pk } = known.user;
  if (response.status === 401) {
    // Whoever signed in meanwhile stays.
    if (readStored<Stored>(KEY)?.user.pk === pk) session.end();
    return null;
  }
  const body = await response.json().catch(() => null);
  if (!response.ok || !body) throw new ApiError(response, body);
  if (known.refresh) store(KEY, { user: known.user });
  return keepAccess(body, pk);
}

/** The answer to a renewal. Where none comes it is asked for once more, under the same key. */
async function askTwice(key: string, kept: string | undefined): Promise<Response> {
  const body = kept ? { refresh: kept } : {};
  const ask = () => post("/token/refresh/", body, { "Idempotency-Key": key });
  try {
    const response = await ask();
    if (response.status < 500) return response;
  } catch {
    // Asked again below.
  }
  return ask();
}

async function leave(): Promise<void> {
  // Another tab may have been heard meanwhile, or somebody signed in.
  if (!readStored<boolean>(LEAVING)) return;
  try {
    const response = await post("/token/logout/", {});
    if (response.ok) store(LEAVING, null);
  } catch {
    // The shop hears it as soon as there is a network.
  }
}

export const session = {
  /** Who is signed in, or null. The same object until it changes. */
  user(): User | null {
    return known?.user ?? null;
  },

  subscribe(tell: () => void): () => void {
    listeners.add(tell);
    return () => listeners.delete(tell);
  },

  /** Begin a session with what signing in, joining or a new password answered. */
  begin(tokens: Tokens, user: User): void {
    store(RENEWAL, null);
    store(LEAVING, null);
    store(KEY, { user });
    known = { user };
    keepAccess(tokens, user.pk);
    reread();
  },

  /** Remember what changed about the person. */
  rename(user: User): void {
    if (known) store(KEY, { ...known, user });
    reread();
  },

  /** A token to send, renewed first where it is about to end; null where nobody is signed in.
   *  Raises ApiError where the shop answers something else, and what `fetch` raises. */
  async access(): Promise<string | null> {
    const fresh = freshToken();
    if (fresh || !known) return fresh;
    renewing ??= alone("session", renew).finally(() => {
      renewing = null;
    });
    return renewing;
  },

  /** The API refused this access token: the next request renews it, or finds the session over. */
  refused(token: string): void {
    if (access?.token === token) access = null;
  },

  /** Forget who was signed in, in every tab. */
  end(): void {
    access = null;
    store(RENEWAL, null);
    store(KEY, null);
    reread();
  },

  /** Sign out of this browser. Here it is over at once; the cookie goes when the shop answers,
   *  which is asked again at the next load, and when there is a network, until it does. */
  async signOut(): Promise<void> {
    // One that a page of before kept is ended from the cookie, like any other.
    if (known?.refresh) await session.access().catch(() => null);
    store(LEAVING, true);
    session.end();
    await session.finishLeaving();
  },

  /** Let a sign-out that the shop has not heard reach it, if there is one. Signing in waits for it:
   *  its answer would take the new cookie away. */
  async finishLeaving(): Promise<void> {
    if (!leaving && readStored<boolean>(LEAVING)) {
      leaving = alone("signing-out", leave).finally(() => {
        leaving = null;
      });
    }
    await leaving;
  },
};
