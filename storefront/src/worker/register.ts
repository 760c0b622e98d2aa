/** The service worker as the pages see it: it keeps the shop for a bad line. A browser without one,
 *  or that will not have one, loses nothing else. */

import { offerVersion, versionChanged } from "../app/version";

/** An open page asks for a new version when it is looked at again, at most so often. */
const HOURLY = 60 * 60_000;

export async function registerWorker(address = "/shop/sw.js"): Promise<void> {
  const { serviceWorker: workers } = navigator;
  if (!workers) return;
  try {
    const registration = await workers.register(address, { updateViaCache: "none" });
    watch(registration);
    let askedAt = Date.now();
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden" || Date.now() - askedAt < HOURLY) return;
      askedAt = Date.now();
      registration.update().catch(() => undefined);
    });
    workers.addEventListener("controllerchange", versionChanged);
  } catch {
    // A private window, no room, or a browser that will not: the shop works without.
  }
}

function watch(registration: ServiceWorkerRegistration): void {
  const look = (worker: ServiceWorker | null) => {
    if (!worker) return;
    const tell = () => {
      // The first one of all replaces none.
      if (worker.state === "installed" && registration.active) void offer(worker);
    };
    tell();
    worker.addEventListener("statechange", tell);
  };
  look(registration.waiting);
  look(registration.installing);
  registration.addEventListener("updatefound", () => look(registration.installing));
}

async function offer(worker: ServiceWorker): Promise<void> {
  const entry = await buildOf(worker);
  if (document.querySelector(`script[src="${entry}"]`)) {
    // The page came from the shop and is new already: only its service worker is not.
    worker.postMessage("take over");
    return;
  }
  offerVersion(worker);
}

function buildOf(worker: ServiceWorker): Promise<string> {
  return new Promise((answer) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = (event) => answer(String(event.data));
    worker.postMessage("build", [port2]);
  });
}
