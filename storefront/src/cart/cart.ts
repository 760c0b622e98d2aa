/** The cart: ids and numbers in this browser, and what each cost when it was last looked at.
 *  It outlives reloads, tabs and sign-ins; nothing is ever merged into it. */

import { readStored, store } from "../api/storage";

export type CartLine = {
  id: number;
  number: number;
  /** Whole KES, as the person last saw it here. */
  price: number;
  name: string;
  thumbnail: string | null;
};

/** One order takes so many lines. */
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
  /** The lines as they are; the same list until something changes. */
  lines(): CartLine[] {
    return lines;
  },

  subscribe(tell: () => void): () => void {
    listeners.add(tell);
    return () => listeners.delete(tell);
  },

  /** Put goods in. More of what is there adds up; beyond the most, nothing is added. */
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

  /** The person has seen what it costs now. */
  setPrice(id: number, price: number): void {
    keep(readLines().map((line) => (line.id === id ? { ...line, price } : line)));
  },

  remove(id: number): void {
    keep(readLines().filter((line) => line.id !== id));
  },

  /** Take out what was ordered, and nothing that came in meanwhile. */
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
