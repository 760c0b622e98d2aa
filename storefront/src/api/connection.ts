/** Whether the shop can be reached. Phones say that they are connected where nothing comes through:
 *  a request that got no answer counts as well, until one gets one. */

import { onlineManager } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";

/** While nothing came through, the shop is asked so often, milliseconds. */
const AGAIN = 10_000;

let timer: ReturnType<typeof setTimeout> | undefined;

function set(isUp: boolean): void {
  clearTimeout(timer);
  // What a page shows is asked for anew as the line comes back (api/queries.ts).
  onlineManager.setOnline(isUp);
  if (!isUp) timer = setTimeout(probe, AGAIN);
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
  /** An answer came, whichever. */
  answered: (): void => {
    if (!onlineManager.isOnline()) set(true);
  },
  /** Nothing came back. */
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
