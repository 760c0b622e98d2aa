/** What was read last, kept in this browser: a page that was seen is shown at once, and without a
 *  line. Only answers that are named here are kept; what is somebody's own is kept under their
 *  number, and goes as soon as they are not the one signed in. */

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
/** Orders with their codes: what somebody must show where there may be no line. */
const OF_ONE_PERSON = new Set<unknown>(["order", "orders", "tracks", "track"]);

const PREFIX = "kept:";
/** Whose orders are that were placed here without an account: nobody has this number. */
const GUEST = "guest";
/** Together at most so many answers and characters; a browser holds about five million. */
export const MOST = { answers: 90, characters: 1_200_000 };
const LONGEST = 150_000;
const OLDEST = 30 * 24 * 60 * 60_000;
/** Of a list that was read on and on, so many pages. */
const PAGES = 2;

type Kept = { at: number; data: unknown };

/** Whether a token is of an order that was placed in this browser without an account. */
type IsGuests = (token: unknown) => boolean;

/** Where an answer is kept, or null where it is not to be. */
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

/** All that is kept, with when it was read. */
function all(): { place: string; at: number; length: number }[] {
  const places = Array.from({ length: localStorage.length }, (_, at) => localStorage.key(at) ?? "");
  return places
    .filter((place) => place.startsWith(PREFIX))
    .map((place) => {
      const text = localStorage.getItem(place) ?? "";
      // The time stands before the text, so that this need not read all of it.
      return { place, at: Number.parseInt(text, 10) || 0, length: text.length + place.length };
    });
}

/** The newest stay, as many as may. */
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
    // Full: the cart and who is signed in come first.
    makeRoom({ answers: MOST.answers / 2, characters: MOST.characters / 4 });
  }
}

/** For where storage may be shut: then nothing is kept. */
function ifOpen(work: () => void): void {
  try {
    work();
  } catch {
    // The person's settings, a private window, or a full disk.
  }
}

/** Forget what fits: everything, or what is not of this person and this version. */
function forget(fits: (place: string) => boolean): void {
  ifOpen(() => {
    for (const { place } of all()) if (fits(place)) localStorage.removeItem(place);
  });
}

/** Forget all of it: a page broke, and what was kept may be why. */
export function clearResponseCache(): void {
  forget(() => true);
}

function forgetOthers(): void {
  const owners = ["", GUEST, session.user()?.pk ?? ""];
  const mine = owners.map((owner) => `${PREFIX}${SHAPE}:${owner}:`);
  forget((place) => !mine.some((each) => place.startsWith(each)));
}

function shorten(data: unknown): unknown {
  const list = data as { pages?: unknown[]; pageParams?: unknown[] };
  if (!Array.isArray(list?.pages) || !Array.isArray(list.pageParams)) return data;
  return { pages: list.pages.slice(0, PAGES), pageParams: list.pageParams.slice(0, PAGES) };
}

/** Fill the client from what is kept, and keep what it reads from now on. */
export function cacheResponses(client: QueryClient, isGuests: IsGuests): () => void {
  const placeFor = (query: Query) => placeOf(query.queryKey, isGuests);
  const waiting = new Map<string, Query>();
  const restored = new WeakSet<Query>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.size === 0) return;
    ifOpen(() => {
      for (const [place, query] of waiting) {
        // Somebody may have signed out meanwhile.
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
      // What this page never read itself is not shown beside a refusal.
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

/** It is not there for this person any more. */
function isOver(error: unknown): boolean {
  return error instanceof ApiError && [401, 403, 404, 410].includes(error.status);
}
