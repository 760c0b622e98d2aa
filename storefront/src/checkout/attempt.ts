/** One press of "Pay", kept until it is answered: sent again under the same key it is the same
 *  order, whatever was lost on the way and however often the page was loaded meanwhile. */

import type { Schemas } from "../api/client";
import { newKey } from "../api/keys";
import { readStored, store } from "../api/storage";

export type CashoutBody = Schemas["CashoutInput"];
export type Attempt = { key: string; body: CashoutBody; at: number; buyer: number };

const STORED = "checkout";
/** An attempt older than this is not sent again by itself: its buyer may not want it any more. */
export const STILL_MEANT = 10 * 60_000;

/** The attempt for this body: the one that waits for its answer, or a new one. */
export function beginAttempt(body: CashoutBody, buyer: number): Attempt {
  const waiting = readStored<Attempt>(STORED, "tab");
  if (waiting && waiting.buyer === buyer && JSON.stringify(waiting.body) === JSON.stringify(body)) {
    return waiting;
  }
  const attempt = { key: newKey(), body, at: Date.now(), buyer };
  store(STORED, attempt, "tab");
  return attempt;
}

/** The attempt of this buyer that was never answered, if it is still meant. */
export function waitingAttempt(buyer: number): Attempt | null {
  const waiting = readStored<Attempt>(STORED, "tab");
  if (!waiting || waiting.buyer !== buyer) return null;
  return Date.now() - waiting.at < STILL_MEANT ? waiting : null;
}

/** It was answered. */
export function endAttempt(): void {
  store(STORED, null, "tab");
}
