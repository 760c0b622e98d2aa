import "./ui/base.css";
import "./ui/form.css";
import "./app/header.css";
import "./catalogue/catalogue.css";
import "./cart/cart.css";
import "./checkout/pay.css";
import "./orders/list.css";
import "./orders/orders.css";
import "./account/account.css";
import "./ui/large.css";

import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter } from "react-router";
import { makeQueryClient, seedQueries } from "./api/queries";
import { cacheResponses } from "./api/responseCache";
import { session } from "./api/session";
import { App } from "./app/App";
import { keepFocus } from "./app/focus";
import { loadPage } from "./app/pages";
import { surviveTranslation } from "./app/translation";
import { loadTexts } from "./i18n";
import { guestOrders } from "./orders/guestOrders";

/** The path below which Django serves the storefront (omachemainproj/urls.py). */
const BASE = "/shop";

const client = makeQueryClient();
cacheResponses(client, guestOrders.has);
seedQueries(client);

// When the user changes, private data of the previous one is removed from the cache.
let reader = session.user()?.pk;
session.subscribe(() => {
  const now = session.user()?.pk;
  if (now !== reader)
    client.removeQueries({ predicate: (query) => PRIVATE.has(query.queryKey[0]) });
  reader = now;
});
/** The first element of the keys of private queries. */
const PRIVATE = new Set<unknown>([
  "order",
  "orders",
  "tracks",
  "track",
  "own-review",
  "account",
  "user",
  "messages",
  "sessions",
  "addresses",
  "quote",
  "me",
  "selling",
  "problem",
  "deliveries",
  "notices",
]);

// Complete a sign-out that happened without a network.
void session.finishLeaving();
addEventListener("online", () => void session.finishLeaving());

/** Without texts nothing can be shown, so they are asked for until they come. Until then the server's
 *  HTML stays. */
async function loadTextsAtLast(): Promise<void> {
  while (
    !(await loadTexts().then(
      () => true,
      () => false,
    ))
  ) {
    await new Promise((again) => setTimeout(again, 2000));
  }
}

async function begin(): Promise<void> {
  const root = document.getElementById("root");
  if (!root) return;
  const pathname = location.pathname.slice(BASE.length) || "/";
  // If the page's file cannot be loaded, the app shows an error and a button to reload.
  await Promise.all([loadTextsAtLast(), loadPage(pathname).catch(() => undefined)]);
  surviveTranslation(root);
  keepFocus(root);
  createRoot(root).render(
    <StrictMode>
      <I18nProvider i18n={i18n}>
        <QueryClientProvider client={client}>
          <BrowserRouter basename={BASE}>
            <App />
          </BrowserRouter>
        </QueryClientProvider>
      </I18nProvider>
    </StrictMode>,
  );
}

void begin();

// After the page has loaded. Not in development: files served by Vite must not be cached.
if (import.meta.env.PROD) {
  const register = () =>
    import("./worker/register").then((file) => file.registerWorker()).catch(() => undefined);
  if (document.readyState === "complete") void register();
  else addEventListener("load", register);
}
