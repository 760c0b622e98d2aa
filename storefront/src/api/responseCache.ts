/** Stores the last responses in this browser's localStorage, so that pages that were seen before show
 *  at once, also offline. Only the queries named here are stored. Private ones are stored under their
 *  user's id, and deleted as soon as that user is not signed in any more. */

import { hashKey, type Query, type QueryClient } from "@tanstack/react-query";
import { ApiError } from "./errors";
import { session } from "./session";

declare const SHAPE: string;

const OF_THE_SHOP = new Set<unknown>([
  "home",
  "categories",
  "category",
  "search",
  "product",
  "reviews",
  "seller",
]);
/** Orders, with the collection codes that a buyer has to show where there may be no network. */
const OF_ONE_PERSON = new Set<unknown>(["order", "orders", "tracks", "track"]);

const PREFIX = "kept:";
/** The owner of orders that were placed in this browser without an account; no user has this id. */
const GUEST = "guest";
/** The limits of all stored responses together; localStorage holds about five million characters. */
export const MOST = { answers: 90, characters: 1_200_000 };
/** Longer responses are not stored, characters. */
const LONGEST = 150_000;
/** Older responses are not used, milliseconds. */
const OLDEST = 30 * 24 * 60 * 60_000;
/** How many pages of a list are stored. */
const PAGES = 2;

type Kept = { at: number; data: unknown };

/** Returns whether a token is that of an order placed in this browser without an account. */
type IsGuests = (token: unknown) => boolean;

/** The localStorage key of a query's response, or null if it must not be stored. */
function placeOf(queryKey: readonly unknown[], isGuests: IsGuests): string | null {
  const hash = hashKey(queryKey);
  const [kind, token] = queryKey;
  if (OF_THE_SHOP.has(kind)) return `${PREFIX}${SHAPE}::${hash}`;
  if (!OF_ONE_PERSON.has(kind)) return null;
  const guest = kind === "order" && isGuests(token) ? GUEST : undefined;
  const owner = session.user()?.pk ?? guest;
  return owner === undefined ? null : `${PREFIX}${SHAPE}:${owner}:${hash}`;
}

function read(place: string): Kept | null {
  try {
    const text = localStorage.getItem(place);
    if (!text) return null;
    const kept: Kept = JSON.parse(text.slice(text.indexOf(" ")));
    return Date.now() - kept.at < OLDEST ? kept : null;
  } catch {
    return null;
  }
}

/** All stored responses, with when they were received. */
function all(): { place: string; at: number; length: number }[] {
  const places = Array.from({ length: localStorage.length }, (_, at) => localStorage.key(at) ?? "");
  return places
    .filter((place) => place.startsWith(PREFIX))
    .map((place) => {
      const text = localStorage.getItem(place) ?? "";
      // The time is in front, so that the JSON need not be parsed for it.
      return { place, at: Number.parseInt(text, 10) || 0, length: text.length + place.length };
    });
}

/** Delete the oldest responses beyond these limits. */
function makeRoom(most: typeof MOST): void {
  let [answers, characters] = [0, 0];
  for (const { place, length } of all().sort((one, other) => other.at - one.at)) {
    answers += 1;
    characters += length;
    if (answers > most.answers || characters > most.characters) localStorage.removeItem(place);
  }
}

function write(place: string, kept: Kept): void {
  const text = `${kept.at} ${JSON.stringify(kept)}`;
  if (text.length > LONGEST) return;
  try {
    localStorage.setItem(place, text);
  } catch {
    // Storage is full: leave room for what matters more, the cart and the session.
    makeRoom({ answers: MOST.answers / 2, characters: MOST.characters / 4 });
  }
}

/** Do something with localStorage, or nothing if the browser does not allow it. */
function ignoringStorageErrors(work: () => void): void {
  try {
    work();
  } catch {
    // Disabled in the settings, a private window, or a full disk.
  }
}

/** Delete the stored responses whose key fits. */
function forget(fits: (place: string) => boolean): void {
  ignoringStorageErrors(() => {
    for (const { place } of all()) if (fits(place)) localStorage.removeItem(place);
  });
}

/** Delete all stored responses: a page crashed, and one of them may be the reason. */
export function clearResponseCache(): void {
  forget(() => true);
}

/** Delete the private responses of other users, and all of older versions of the API. */
function forgetOthers(): void {
  const owners = ["", GUEST, session.user()?.pk ?? ""];
  const mine = owners.map((owner) => `${PREFIX}${SHAPE}:${owner}:`);
  forget((place) => !mine.some((each) => place.startsWith(each)));
}

/** A list without the pages behind the first `PAGES`; anything else unchanged. */
function shorten(data: unknown): unknown {
  const list = data as { pages?: unknown[]; pageParams?: unknown[] };
  if (!Array.isArray(list?.pages) || !Array.isArray(list.pageParams)) return data;
  return { pages: list.pages.slice(0, PAGES), pageParams: list.pageParams.slice(0, PAGES) };
}

/** Fill the client's queries with stored responses, and store the responses it gets from now on.
 *  Returns a function that stops it. */
export function cacheResponses(client: QueryClient, isGuests: IsGuests): () => void {
  const placeFor = (query: Query) => placeOf(query.queryKey, isGuests);
  const waiting = new Map<string, Query>();
  const restored = new WeakSet<Query>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.size === 0) return;
    ignoringStorageErrors(() => {
      for (const [place, query] of waiting) {
        // The user may have signed out meanwhile.
        if (placeFor(query) !== place || query.state.data === undefined) continue;
        write(place, { at: query.state.dataUpdatedAt, data: shorten(query.state.data) });
      }
      makeRoom(MOST);
    });
    waiting.clear();
  };

  const stopListening = client.getQueryCache().subscribe((event) => {
    const { query } = event;
    if (event.type === "added" && query.state.data === undefined) {
      const place = placeFor(query);
      const kept = place ? read(place) : null;
      if (!kept) return;
      restored.add(query);
      query.setState({ data: kept.data, dataUpdatedAt: kept.at, status: "success" });
    }
    if (event.type !== "updated") return;
    if (event.action.type === "success") {
      restored.delete(query);
      const place = placeFor(query);
      if (!place) return;
      waiting.set(place, query);
      timer ??= setTimeout(flush, 500);
    }
    if (event.action.type === "error" && isOver(event.action.error)) {
      const place = placeFor(query);
      if (place) forget((each) => each === place);
      // A refusal must not be shown beside data that this page has only from storage.
      if (restored.has(query)) query.setState({ data: undefined });
    }
  });

  forgetOthers();
  const stopWatching = session.subscribe(forgetOthers);
  addEventListener("pagehide", flush);
  return () => {
    flush();
    stopListening();
    stopWatching();
    removeEventListener("pagehide", flush);
  };
}

/** Whether the API says that this user may not see it (any more). */
function isOver(error: unknown): boolean {
  return error instanceof ApiError && [401, 403, 404, 410].includes(error.status);
}
