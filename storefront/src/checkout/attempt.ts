/** One press of "Pay", stored in the tab until there is a response. Sent again with the same
 *  Idempotency-Key, also after a reload, it is the same order. */

import type { Schemas } from "../api/client";
import { newKey } from "../api/keys";
import { readStored, store } from "../api/storage";

export type CashoutBody = Schemas["CashoutInput"];
export type Attempt = { key: string; body: CashoutBody; at: number; buyer: number };

const STORED = "checkout";
/** An older attempt is not sent again automatically: the buyer may have changed their mind. */
export const STILL_MEANT = 10 * 60_000;

/** The attempt for this body: the stored one if it is the same, otherwise a new one. */
export function beginAttempt(body: CashoutBody, buyer: number): Attempt {
  const waiting = readStored<Attempt>(STORED, "tab");
  if (waiting && waiting.buyer === buyer && JSON.stringify(waiting.body) === JSON.stringify(body)) {
    return waiting;
  }
  const attempt = { key: newKey(), body, at: Date.now(), buyer };
  store(STORED, attempt, "tab");
  return attempt;
}

/** This buyer's stored attempt without a response, or null if it is too old. */
export function waitingAttempt(buyer: number): Attempt | null {
  const waiting = readStored<Attempt>(STORED, "tab");
  if (!waiting || waiting.buyer !== buyer) return null;
  return Date.now() - waiting.at < STILL_MEANT ? waiting : null;
}

/** Delete the stored attempt: there was a response. */
export function endAttempt(): void {
  store(STORED, null, "tab");
}
