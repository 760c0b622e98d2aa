/** The shop as an app on the phone. The browser says when it would; it is offered in the footer. */

import { useSyncExternalStore } from "react";

type Prompt = Event & { prompt(): Promise<unknown> };

let offered: Prompt | null = null;
const listeners = new Set<() => void>();

function set(prompt: Prompt | null): void {
  offered = prompt;
  for (const tell of listeners) tell();
}

globalThis.addEventListener?.("beforeinstallprompt", (event) => {
  // Not over the page that somebody reads.
  event.preventDefault();
  set(event as Prompt);
});
globalThis.addEventListener?.("appinstalled", () => set(null));

/** Asks to install the shop; null where the browser does not offer it. */
export function useInstall(): (() => void) | null {
  const prompt = useSyncExternalStore(
    (tell) => {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    () => offered,
  );
  if (!prompt) return null;
  return () => {
    // A prompt can be shown once.
    set(null);
    void prompt.prompt();
  };
}
