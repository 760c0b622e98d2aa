/** The cart: product ids and quantities in this browser, and the prices last shown. It survives
 *  reloads, tabs and sign-ins; there is no cart on the server to merge with. */

import { readStored, store } from "../api/storage";

export type CartLine = {
  id: number;
  number: number;
  /** The price the user was last shown, in whole KES. */
  price: number;
  name: string;
  thumbnail: string | null;
};

/** The limits of one order: lines, and units per line. */
export const MOST_LINES = 100;
export const MOST_OF_ONE = 999;

const KEY = "cart";
const listeners = new Set<() => void>();
let lines = readLines();

function isLine(value: unknown): value is CartLine {
  if (typeof value !== "object" || value === null) return false;
  const line = value as Partial<CartLine>;
  return (
    Number.isSafeInteger(line.id) &&
    Number.isSafeInteger(line.number) &&
    Number(line.number) > 0 &&
    typeof line.name === "string"
  );
}

function readLines(): CartLine[] {
  const stored = readStored<unknown>(KEY);
  return Array.isArray(stored) ? stored.filter(isLine) : [];
}

function keep(next: CartLine[]): void {
  lines = next;
  store(KEY, next);
  for (const tell of listeners) tell();
}

globalThis.addEventListener?.("storage", (event) => {
  if (event.key !== KEY && event.key !== null) return;
  lines = readLines();
  for (const tell of listeners) tell();
});

export const cart = {
  /** The cart's lines; the same array until something changes. */
  lines(): CartLine[] {
    return lines;
  },

  subscribe(tell: () => void): () => void {
    listeners.add(tell);
    return () => listeners.delete(tell);
  },

  /** Add `number` units of a product, up to the limits; a full cart is left unchanged. */
  add(product: Omit<CartLine, "number">, number: number): void {
    // Another tab may have changed it.
    const now = readLines();
    const { id, price, name, thumbnail } = product;
    const there = now.find((line) => line.id === id);
    if (!there && now.length >= MOST_LINES) return;
    const line = { id, price, name, thumbnail, number: limit((there?.number ?? 0) + number) };
    keep(there ? now.map((each) => (each.id === id ? line : each)) : [...now, line]);
  },

  setNumber(id: number, number: number): void {
    keep(readLines().map((line) => (line.id === id ? { ...line, number: limit(number) } : line)));
  },

  /** Store a price that the user has been shown. */
  setPrice(id: number, price: number): void {
    keep(readLines().map((line) => (line.id === id ? { ...line, price } : line)));
  },

  remove(id: number): void {
    keep(readLines().filter((line) => line.id !== id));
  },

  /** Remove what was ordered; keep what was added since. */
  takeOut(ordered: readonly { product: number; number: number }[]): void {
    const taken = new Map(ordered.map((line) => [line.product, line.number]));
    keep(
      readLines()
        .map((line) => ({ ...line, number: line.number - (taken.get(line.id) ?? 0) }))
        .filter((line) => line.number > 0),
    );
  },
};

function limit(number: number): number {
  return Math.min(MOST_OF_ONE, Math.max(1, Math.trunc(number)));
}
