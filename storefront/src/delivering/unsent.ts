/** Actions that got no response on a bad connection: they are offered again. */

import { useSyncExternalStore } from "react";
import { readStored, store } from "../api/storage";
import type { Reason } from "./FailedDelivery";
import type { Action } from "./queries";

export type Unsent = {
  action: Action;
  code?: string;
  note?: string;
  reason?: Reason;
};
type All = Readonly<Record<string, Unsent>>;

const KEY = "unsent-moves";
const listeners = new Set<() => void>();
let now: All | null = null;

function all(): All {
  now ??= readStored<All>(KEY, "tab") ?? {};
  return now;
}

/** Store the action for a parcel in this tab, so that it survives a reload; null deletes it. */
export function keepUnsent(parcel: number, pressed: Unsent | null): void {
  const { [parcel]: _, ...others } = all();
  now = pressed ? { ...others, [parcel]: pressed } : others;
  store(KEY, now, "tab");
  for (const tell of listeners) tell();
}

function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

/** A parcel's action without a response, or undefined. */
export function useUnsent(parcel: number): Unsent | undefined {
  return useSyncExternalStore(subscribe, all)[parcel];
}
