/** Every page and its address. */

import { matchPath } from "react-router";
import { type LazyPage, lazyPage } from "./lazy";

export type PageAt = {
  path: string;
  page: LazyPage;
  /** Only for who is signed in. */
  isPrivate?: boolean;
};

/** Django knows these too, for what it paints and what it keeps from search engines
 *  (products/shop/urls.py). */
export const PAGES: PageAt[] = [
  { path: "/", page: lazyPage(() => import("../catalogue/HomePage")) },
  { path: "/category/:category", page: lazyPage(() => import("../catalogue/CategoryPage")) },
  { path: "/search", page: lazyPage(() => import("../catalogue/SearchPage")) },
  { path: "/product/:product", page: lazyPage(() => import("../catalogue/ProductPage")) },
  { path: "/cart", page: lazyPage(() => import("../cart/CartPage")) },
  {
    path: "/checkout",
    page: lazyPage(() => import("../checkout/CheckoutPage"), "buying"),
    isPrivate: true,
  },
  {
    path: "/pay/:token",
    page: lazyPage(() => import("../checkout/PayPage"), "buying"),
    isPrivate: true,
  },
  {
    path: "/orders",
    page: lazyPage(() => import("../orders/OrdersPage"), "buying"),
    isPrivate: true,
  },
  {
    path: "/orders/:token",
    page: lazyPage(() => import("../orders/OrderPage"), "buying"),
    isPrivate: true,
  },
  { path: "/sign-in", page: lazyPage(() => import("../account/SignInPage"), "buying") },
  { path: "/join", page: lazyPage(() => import("../account/JoinPage"), "buying") },
  { path: "/password/reset", page: lazyPage(() => import("../account/ForgotPage"), "buying") },
  {
    path: "/password/reset/confirm/:uid/:token",
    page: lazyPage(() => import("../account/ResetPage"), "buying"),
  },
  {
    path: "/email/confirm/:key",
    page: lazyPage(() => import("../account/ConfirmEmailPage"), "buying"),
  },
  {
    path: "/account",
    page: lazyPage(() => import("../account/AccountPage"), "buying"),
    isPrivate: true,
  },
];

/** Fetch the file of the page that an address (below /shop) shows. */
export async function loadPage(pathname: string): Promise<void> {
  await PAGES.find(({ path }) => matchPath(path, pathname))?.page.load();
}
