/** The draft of a new listing, stored in this browser until it is listed, so that a reload or a lost
 *  connection loses nothing. */

import { newKey } from "../api/keys";
import { readStored, store } from "../api/storage";

export const FIELDS = [
  "name",
  "category",
  "price",
  "item_number",
  "description",
  "payment_mpesa_number",
] as const;
export type Fields = Partial<Record<(typeof FIELDS)[number], string>>;

export type Draft = {
  fields: Fields;
  /** The Idempotency-Key: the same until there is a response. */
  key: string;
  /** The id of the listing once it is created; some of its pictures may still be missing. */
  product?: number;
};

/** The storage key of a seller's draft: others may use the same phone. */
const nameOf = (seller: number) => `listing-${seller}`;

export function readDraft(seller: number): Draft {
  return readStored<Draft>(nameOf(seller)) ?? { fields: {}, key: newKey() };
}

export function keepDraft(seller: number, draft: Draft): void {
  store(nameOf(seller), draft);
}

export function forgetDraft(seller: number): void {
  store(nameOf(seller), null);
}

/** The name under which the draft's pictures are stored. */
export const picturesOf = nameOf;

/** The fields of a form as typed. */
export function typedIn(form: HTMLFormElement): Fields {
  const typed = new FormData(form);
  return Object.fromEntries(FIELDS.map((name) => [name, String(typed.get(name) ?? "").trim()]));
}

/** A typed number in the API's form: "KES 1,500" becomes "1500". */
export function digits(typed: string): string {
  return typed.replace(/[\s,]/g, "").replace(/^KES/i, "");
}
