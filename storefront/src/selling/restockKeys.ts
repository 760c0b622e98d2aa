/** Idempotency-Keys of requests without a response, stored in the tab: sent again after a reload, a
 *  restock counts once. */

import { newKey } from "../api/keys";
import { readStored, store } from "../api/storage";

/** The key for this subject until `endKey`. */
export function keyFor(subject: string): string {
  const waiting = readStored<string>(`key-${subject}`, "tab");
  if (waiting) return waiting;
  const key = newKey();
  store(`key-${subject}`, key, "tab");
  return key;
}

export function endKey(subject: string): void {
  store(`key-${subject}`, null, "tab");
}
