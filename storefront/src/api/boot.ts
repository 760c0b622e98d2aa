/** What products/shop wrote into the page, so that its first sight needs no request. */

import type { ProductDetail } from "./client";
import type { Card } from "./queries";

export type Page<T> = {
  items: T[];
  next: string | null;
  /** What was searched for in place of what was typed. */
  corrected?: string | null;
};

/** What the shop's settings let people do. */
export type Features = { phone_login: boolean; guest_checkout: boolean };

export type Boot = {
  features?: Features;
  home?: Record<string, Card[]>;
  category?: { name: string; asked: string; page: Page<Card> };
  product?: ProductDetail;
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

/** Where the page does not say (Vite serves it), all is offered, and the API answers. */
export const features: Features = {
  phone_login: true,
  guest_checkout: true,
  ...readBoot().features,
};
