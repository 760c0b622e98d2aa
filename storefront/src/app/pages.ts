/** All pages with their paths below /shop. */

import { matchPath } from "react-router";
import { type LazyPage, lazyPage } from "./lazy";

export type PageAt = {
  path: string;
  page: LazyPage;
  /** Only for signed-in users. */
  isPrivate?: boolean;
};

/** Django knows these paths too: it renders some of them on the server, and answers 404 to any other
 *  (products/shop/pages.py; a test compares the two). */
export const PAGES: PageAt[] = [
  { path: "/", page: lazyPage(() => import("../catalogue/HomePage")) },
  { path: "/category/:category", page: lazyPage(() => import("../catalogue/CategoryPage")) },
  { path: "/search", page: lazyPage(() => import("../catalogue/SearchPage")) },
  { path: "/product/:product", page: lazyPage(() => import("../catalogue/ProductPage")) },
  { path: "/cart", page: lazyPage(() => import("../cart/CartPage")) },
  {
    path: "/checkout",
    page: lazyPage(() => import("../checkout/CheckoutPage"), "buying"),
  },
  {
    path: "/pay/:token",
    page: lazyPage(() => import("../checkout/PayPage"), "buying"),
  },
  {
    path: "/orders",
    page: lazyPage(() => import("../orders/OrdersPage"), "buying"),
  },
  {
    path: "/orders/:token",
    page: lazyPage(() => import("../orders/OrderPage"), "buying"),
    isPrivate: true,
  },
  {
    path: "/orders/:token/problem/:line",
    page: lazyPage(() => import("../problems/ProblemPage"), "buying"),
    isPrivate: true,
  },
  { path: "/sign-in", page: lazyPage(() => import("../account/SignInPage"), "buying") },
  { path: "/join", page: lazyPage(() => import("../account/JoinPage"), "buying") },
  {
    path: "/password/reset",
    page: lazyPage(() => import("../account/ForgotPasswordPage"), "buying"),
  },
  {
    path: "/password/reset/confirm/:uid/:token",
    page: lazyPage(() => import("../account/ResetPasswordPage"), "buying"),
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
  {
    path: "/account/addresses",
    page: lazyPage(() => import("../account/AddressesPage"), "buying"),
    isPrivate: true,
  },
  {
    path: "/account/delete",
    page: lazyPage(() => import("../account/DeleteAccountPage"), "buying"),
    isPrivate: true,
  },
  {
    path: "/account/deleted",
    page: lazyPage(() => import("../account/AccountDeletedPage"), "buying"),
  },
  {
    path: "/notices",
    page: lazyPage(() => import("../notices/NoticesPage"), "buying"),
    isPrivate: true,
  },
  {
    path: "/delivering",
    page: lazyPage(() => import("../delivering/DeliveringPage"), "delivering"),
    isPrivate: true,
  },
  {
    path: "/seller/:username",
    page: lazyPage(() => import("../seller/SellerPage"), "buying"),
  },
  {
    path: "/selling",
    page: lazyPage(() => import("../selling/SummaryPage"), "selling"),
    isPrivate: true,
  },
  {
    path: "/selling/new",
    page: lazyPage(() => import("../selling/NewPage"), "selling"),
    isPrivate: true,
  },
  {
    path: "/selling/listings",
    page: lazyPage(() => import("../selling/ListingsPage"), "selling"),
    isPrivate: true,
  },
  {
    path: "/selling/listings/:listing",
    page: lazyPage(() => import("../selling/ListingPage"), "selling"),
    isPrivate: true,
  },
  {
    path: "/selling/reviews",
    page: lazyPage(() => import("../selling/ReviewsPage"), "selling"),
    isPrivate: true,
  },
  {
    path: "/selling/sheets",
    page: lazyPage(() => import("../selling/SpreadsheetsPage"), "selling"),
    isPrivate: true,
  },
  {
    path: "/selling/orders",
    page: lazyPage(() => import("../selling/SalesPage"), "selling"),
    isPrivate: true,
  },
  {
    path: "/selling/money",
    page: lazyPage(() => import("../selling/MoneyPage"), "selling"),
    isPrivate: true,
  },
  {
    path: "/selling/problems",
    page: lazyPage(() => import("../selling/ProblemsPage"), "selling"),
    isPrivate: true,
  },
];

/** Load the file of the page at this path below /shop. */
export async function loadPage(pathname: string): Promise<void> {
  await PAGES.find(({ path }) => matchPath(path, pathname))?.page.load();
}
