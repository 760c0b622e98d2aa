/** Who is signed in. The access token stays in memory; the refresh token is used once each. */

import type { components } from "./schema";
import { readStored, store } from "./storage";

type User = components["schemas"]["UserOutput"];
type Tokens = { access: string; refresh: string };
type Stored = { refresh: string; user: User };

const KEY = "session";
/** An access token this near its end is renewed first, milliseconds. */
const MARGIN = 20_000;

let access: { token: string; until: number } | null = null;
let renewing: Promise<string | null> | null = null;
const listeners = new Set<() => void>();
let known = readStored<Stored>(KEY);

const others = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("session");
others?.addEventListener("message", (event) => {
  access = event.data;
});
globalThis.addEventListener?.("storage", (event) => {
  if (event.key === KEY || event.key === null) reread();
});

function reread(): void {
  known = readStored<Stored>(KEY);
  if (!known) access = null;
  for (const tell of listeners) tell();
}

/** When a token ends, by this device's clock: its life is counted from when it came. */
export function endOf(token: string, now: number): number {
  try {
    const part = token.split(".")[1] ?? "";
    const { exp, iat } = JSON.parse(atob(part.replaceAll("-", "+").replaceAll("_", "/")));
    return now + (exp - iat) * 1000;
  } catch {
    return now;
  }
}

function keepAccess(token: string): string {
  access = { token, until: endOf(token, Date.now()) };
  others?.postMessage(access);
  return token;
}

function isFresh(): boolean {
  return access !== null && access.until - MARGIN > Date.now();
}

/** Let one tab at a time renew; without locks (plain http on another machine) each for itself. */
function alone<T>(work: () => Promise<T>): Promise<T> {
  return navigator.locks ? (navigator.locks.request("session", work) as Promise<T>) : work();
}

async function renew(): Promise<string | null> {
  // Another tab may have renewed while this one waited.
  known = readStored<Stored>(KEY);
  if (!known) return null;
  if (isFresh() && access) return access.token;
  const { refresh } = known;
  // An answer that is lost is asked for again under the same key.
  const key = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
  for (let tries = 0; ; tries++) {
    try {
      const response = await fetch("/token/refresh/", {
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": key },
        body: JSON.stringify({ refresh }),
      });
      if (response.status === 401) {
        if (readStored<Stored>(KEY)?.refresh === refresh) session.end();
        return null;
      }
      if (!response.ok) throw new TypeError(`HTTP ${response.status}`);
      const tokens: Tokens = await response.json();
      store(KEY, { ...known, refresh: tokens.refresh });
      known = { ...known, refresh: tokens.refresh };
      return keepAccess(tokens.access);
    } catch (error) {
      if (tries >= 1) throw error;
    }
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
    store(KEY, { refresh: tokens.refresh, user });
    keepAccess(tokens.access);
    reread();
  },

  /** Remember what changed about the person. */
  rename(user: User): void {
    if (known) store(KEY, { ...known, user });
    reread();
  },

  /** A token to send, renewed first where it is about to end; null where nobody is signed in. */
  async access(): Promise<string | null> {
    if (isFresh() && access) return access.token;
    if (!readStored<Stored>(KEY)) return null;
    renewing ??= alone(renew).finally(() => {
      renewing = null;
    });
    return renewing;
  },

  /** The API refused this access token: the next request renews it, or finds the session over. */
  refused(token: string): void {
    if (access?.token === token) access = null;
  },

  /** The refresh token, to end it at the shop. */
  refreshToken(): string | null {
    return readStored<Stored>(KEY)?.refresh ?? null;
  },

  /** Forget who was signed in, in every tab. */
  end(): void {
    access = null;
    store(KEY, null);
    reread();
  },
};
