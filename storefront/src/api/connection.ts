/** Whether the shop can be reached. `navigator.onLine` is true on a network that lets nothing through,
 *  so a request without a response also counts as offline, until one gets a response. */

import { onlineManager } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";

/** How often the shop is probed while offline, in milliseconds. */
const PROBE_INTERVAL = 10_000;

let timer: ReturnType<typeof setTimeout> | undefined;

function set(isUp: boolean): void {
  clearTimeout(timer);
  // Back online, the queries on the page are fetched again (api/queries.ts).
  onlineManager.setOnline(isUp);
  if (!isUp) timer = setTimeout(probe, PROBE_INTERVAL);
}

async function probe(): Promise<void> {
  if (navigator.onLine === false || document.visibilityState === "hidden") return set(false);
  try {
    await fetch("/livez/", { method: "HEAD", cache: "no-store" });
    set(true);
  } catch {
    set(false);
  }
}

export const connection = {
  isUp: (): boolean => onlineManager.isOnline(),
  /** A request got a response, of any status. */
  answered: (): void => {
    if (!onlineManager.isOnline()) set(true);
  },
  /** A request got no response. */
  failed: (): void => set(false),
};

onlineManager.setEventListener(() => {
  const up = () => set(true);
  const down = () => set(false);
  addEventListener("online", up);
  addEventListener("offline", down);
  return () => {
    removeEventListener("online", up);
    removeEventListener("offline", down);
  };
});
if (navigator.onLine === false) set(false);

export function useConnection(): boolean {
  return useSyncExternalStore((tell) => onlineManager.subscribe(tell), connection.isUp);
}
