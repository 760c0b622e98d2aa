/** The data that Django (products/shop) embeds in the page, so that its first view needs no request. */

import type { ProductDetail } from "./client";
import type { Card } from "./queries";

export type Page<T> = {
  items: T[];
  next: string | null;
  /** The corrected search term, if the typed one found nothing. */
  corrected?: string | null;
};

/** Features that the shop's settings switch on or off. */
export type Features = { phone_login: boolean; guest_checkout: boolean };

export type Boot = {
  features?: Features;
  home?: Record<string, Card[]>;
  category?: { name: string; asked: string; page: Page<Card> };
  product?: ProductDetail;
  /** The product at this address is not for sale. */
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

/** All on if the page does not say (Vite's development server): then the API refuses what is off. */
export const features: Features = {
  phone_login: true,
  guest_checkout: true,
  ...readBoot().features,
};
