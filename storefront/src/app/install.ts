/** Installing the shop as an app. The browser says when it is possible; the footer offers it. */

import { useSyncExternalStore } from "react";

type Prompt = Event & { prompt(): Promise<unknown> };

let offered: Prompt | null = null;
const listeners = new Set<() => void>();

function set(prompt: Prompt | null): void {
  offered = prompt;
  for (const tell of listeners) tell();
}

globalThis.addEventListener?.("beforeinstallprompt", (event) => {
  // Without the browser's own prompt, which would cover the page.
  event.preventDefault();
  set(event as Prompt);
});
globalThis.addEventListener?.("appinstalled", () => set(null));

/** A function that shows the browser's install prompt; null if it cannot be installed now. */
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
    // A prompt can be shown only once.
    set(null);
    void prompt.prompt();
  };
}
