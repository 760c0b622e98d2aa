/** Updating to a new version of the storefront, which src/worker/register.ts detects. */

import { useSyncExternalStore } from "react";

let waiting: ServiceWorker | null = null;
let asked = false;
const listeners = new Set<() => void>();

/** Whether a newer version than this page's is available. */
export function useNewVersion(): boolean {
  return useSyncExternalStore(
    (tell) => {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    () => waiting !== null,
  );
}

/** Activate the new version's service worker, and reload the page. */
export function takeNewVersion(): void {
  asked = true;
  waiting?.postMessage("take over");
  // If another tab has activated it already, versionChanged() is not called.
  setTimeout(() => location.reload(), 3000);
}

/** Offer the new version of this waiting service worker; the user decides when. */
export function offerVersion(worker: ServiceWorker): void {
  waiting = worker;
  for (const tell of listeners) tell();
}

/** Another version was activated: reload if the user asked for it in this tab. */
export function versionChanged(): void {
  if (asked) location.reload();
}
