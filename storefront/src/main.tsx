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
import { makeQueryClient, plant } from "./api/queries";
import { cacheResponses } from "./api/responseCache";
import { session } from "./api/session";
import { App } from "./app/App";
import { loadPage } from "./app/pages";
import { surviveTranslation } from "./app/translation";
import { loadTexts } from "./i18n";
import { guestOrders } from "./orders/guestOrders";

/** Where the shop is served, here and by Django (omachemainproj/urls.py). */
const BASE = "/shop";

const client = makeQueryClient();
cacheResponses(client, guestOrders.has);
plant(client);

// What one person read is not shown to the next.
let reader = session.user()?.pk;
session.subscribe(() => {
  const now = session.user()?.pk;
  if (now !== reader)
    client.removeQueries({ predicate: (query) => PRIVATE.has(query.queryKey[0]) });
  reader = now;
});
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

// Somebody signed out without a network.
void session.finishLeaving();
addEventListener("online", () => void session.finishLeaving());

async function begin(): Promise<void> {
  const root = document.getElementById("root");
  if (!root) return;
  const pathname = location.pathname.slice(BASE.length) || "/";
  // A page whose file does not come is shown as broken, with a way to load it again.
  await Promise.all([loadTexts(), loadPage(pathname).catch(() => undefined)]);
  surviveTranslation(root);
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

// After what the page needs itself. What Vite serves in development is nobody's to keep.
if (import.meta.env.PROD) {
  const register = () =>
    import("./worker/register").then((file) => file.registerWorker()).catch(() => undefined);
  if (document.readyState === "complete") void register();
  else addEventListener("load", register);
}
