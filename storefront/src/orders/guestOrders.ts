/** Orders placed in this browser without an account: their tokens, by which they can be fetched, and
 *  the phone that shows them whole after signing in with it. */

import { useSyncExternalStore } from "react";
import { readStored, store } from "../api/storage";

export type Kept = {
  token: string;
  /** As typed: the API shows only three of its digits. */
  phone: string;
};

/** How many are stored. Older ones are found by signing in with the phone. */
const MOST = 20;
const KEY = "guest-orders";
const listeners = new Set<() => void>();
let known = read();

function read(): Kept[] {
  const stored = readStored<unknown>(KEY);
  return Array.isArray(stored) ? stored.filter(isKept) : [];
}

function isKept(value: unknown): value is Kept {
  const { token, phone } = (value ?? {}) as Partial<Kept>;
  return typeof token === "string" && typeof phone === "string";
}

function keep(next: Kept[]): void {
  known = next;
  store(KEY, next.length > 0 ? next : null);
  for (const tell of listeners) tell();
}

globalThis.addEventListener?.("storage", (event) => {
  if (event.key !== KEY && event.key !== null) return;
  known = read();
  for (const tell of listeners) tell();
});

export const guestOrders = {
  /** Newest first; the same array until something changes. */
  all(): Kept[] {
    return known;
  },

  has(token: unknown): boolean {
    return known.some((each) => each.token === token);
  },

  subscribe(tell: () => void): () => void {
    listeners.add(tell);
    return () => listeners.delete(tell);
  },

  add(order: Kept): void {
    const others = read().filter(({ token }) => token !== order.token);
    keep([order, ...others].slice(0, MOST));
  },

  /** Remove the orders of this phone: after signing in with it they are in its account. */
  joined(phone: string): void {
    keep(read().filter((each) => lastNine(each.phone) !== lastNine(phone)));
  },

  /** Remove an order that the shop does not know. */
  drop(token: string): void {
    keep(read().filter((each) => each.token !== token));
  },
};

/** Whether an order that was placed here belongs to no account yet: its phone is shown masked. */
export function isStillGuests(order: { order_token: string; mpesa_number: string }): boolean {
  return guestOrders.has(order.order_token) && !/^\d+$/.test(order.mpesa_number);
}

export function useGuestOrders(): Kept[] {
  return useSyncExternalStore(guestOrders.subscribe, guestOrders.all);
}

/** The last nine digits: 0712 345 678, +254712345678 and 712345678 are the same phone. */
function lastNine(phone: string): string {
  return phone.replace(/\D/g, "").slice(-9);
}
