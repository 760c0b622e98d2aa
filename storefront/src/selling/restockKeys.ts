/** Idempotency-Keys of what was sent and not answered yet: the same press, sent again after a reload,
 *  is the same. */

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
