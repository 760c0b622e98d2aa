/** What somebody began to list, kept in this browser until it was: a call that comes in, a line that
 *  breaks off or a reload takes nothing away. */

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
  /** Its Idempotency-Key: the same until the shop answered, however often it is sent. */
  key: string;
  /** It is listed; pictures may be on their way yet. */
  product?: number;
};

/** One person's, on a phone that others use too. */
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

/** What its pictures are kept under. */
export const picturesOf = nameOf;

/** A form's fields as they were typed. */
export function typedIn(form: HTMLFormElement): Fields {
  const typed = new FormData(form);
  return Object.fromEntries(FIELDS.map((name) => [name, String(typed.get(name) ?? "").trim()]));
}

/** "1,500" as people write it, as the shop reads it. */
export function digits(typed: string): string {
  return typed.replace(/[\s,]/g, "").replace(/^KES/i, "");
}
