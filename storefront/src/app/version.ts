/** Whether there is a newer version of the shop than the page's (src/worker/register.ts finds out). */

import { useSyncExternalStore } from "react";

let waiting: ServiceWorker | null = null;
let asked = false;
const listeners = new Set<() => void>();

/** A newer version than this page's is there. */
export function useNewVersion(): boolean {
  return useSyncExternalStore(
    (tell) => {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    () => waiting !== null,
  );
}

/** Have the new version take over, and load the page again in it. */
export function takeNewVersion(): void {
  asked = true;
  waiting?.postMessage("take over");
  // It took over in another tab before: nothing changes hands any more.
  setTimeout(() => location.reload(), 3000);
}

/** It waits for somebody to press. */
export function offerVersion(worker: ServiceWorker): void {
  waiting = worker;
  for (const tell of listeners) tell();
}

/** Another version looks after the pages now: only who asked for it loses theirs. */
export function versionChanged(): void {
  if (asked) location.reload();
}
