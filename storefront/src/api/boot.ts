/** What products/shop wrote into the page, so that its first sight needs no request. */

import type { Product } from "./client";
import type { Card } from "./queries";

export type Page<T> = { items: T[]; next: string | null };

export type Boot = {
  home?: Record<string, Card[]>;
  category?: { name: string; asked: string; page: Page<Card> };
  product?: Product;
  /** The product that the address names is not for sale. */
  gone?: boolean;
};

export function readBoot(): Boot {
  const written = document.getElementById("boot")?.textContent;
  if (!written) return {};
  try {
    return JSON.parse(written);
  } catch {
    return {};
  }
}
