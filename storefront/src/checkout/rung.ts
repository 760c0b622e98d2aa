/** When this browser had a phone rung for an order: the prompt's countdown begins then. */

import { serverNow } from "../api/client";
import { readStored, store } from "../api/storage";

/** How long a phone shows the prompt. */
export const A_PROMPT = 60_000;

type Rung = { token: string; at: number };

export function noteRung(token: string): void {
  store("rung", { token, at: serverNow() }, "tab");
}

/** When the prompt on the phone ends; null where this browser did not have it rung. */
export function promptEnds(token: string): number | null {
  const rung = readStored<Rung>("rung", "tab");
  return rung?.token === token ? rung.at + A_PROMPT : null;
}
