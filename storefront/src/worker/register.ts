/** Registers the service worker and offers its updates. Everything works without one, except offline. */

import { offerVersion, versionChanged } from "../app/version";

/** An open page checks for a new version when it is shown again, at most this often. Milliseconds. */
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
    // Not allowed, for example in a private window, or no space.
  }
}

function watch(registration: ServiceWorkerRegistration): void {
  const look = (worker: ServiceWorker | null) => {
    if (!worker) return;
    const tell = () => {
      // Not the very first worker, which replaces none.
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
    // The page itself is of the new version already, so activate the worker without asking.
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
