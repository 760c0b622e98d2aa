/** The service worker, built as /shop/sw.js (vite.config.ts) and served by products/shop/views.py. */

import { type Build, cacheBuild, cacheFirst, forgetOldBuilds, kindOf, networkFirst } from "./cache";

declare const BUILD: Build;

// TypeScript cannot use the types of workers and of pages together: these are the few needed here.
type Lasting = Event & { waitUntil(work: Promise<unknown>): void };
type Fetching = Lasting & {
  request: Request;
  preloadResponse?: Promise<Response | undefined>;
  respondWith(answer: Promise<Response>): void;
};
type Told = Lasting & { data: unknown; ports: readonly MessagePort[] };
type Self = {
  location: Location;
  registration: { navigationPreload?: { enable(): Promise<void> } };
  clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listen: (event: Lasting) => void): void;
  addEventListener(type: "fetch", listen: (event: Fetching) => void): void;
  addEventListener(type: "message", listen: (event: Told) => void): void;
};
const worker = globalThis as unknown as Self;

worker.addEventListener("install", (event) => event.waitUntil(cacheBuild(BUILD)));

worker.addEventListener("activate", (event) => {
  const ready = [
    forgetOldBuilds(BUILD.version),
    // Request the page while the worker starts, which takes a while on a cheap phone.
    worker.registration.navigationPreload?.enable().catch(() => undefined),
    worker.clients.claim(),
  ];
  event.waitUntil(Promise.all(ready));
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const kind = kindOf(request, worker.location.origin);
  if (kind === "other") return;
  if (kind === "page") {
    const asked = Promise.resolve(event.preloadResponse).then((early) => early ?? fetch(request));
    event.respondWith(networkFirst(asked, BUILD.version));
  } else {
    event.respondWith(cacheFirst(request, kind, (work) => event.waitUntil(work)));
  }
});

/** A page asks which build this is ("build"), or activates it ("take over"). */
worker.addEventListener("message", (event) => {
  if (event.data === "build") event.ports[0]?.postMessage(BUILD.entry);
  if (event.data === "take over") event.waitUntil(worker.skipWaiting());
});
