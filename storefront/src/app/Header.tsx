import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { Link, useLocation } from "react-router";
import { signInFrom } from "../account/ownPath";
import { useUser } from "../account/useUser";
import { meQuery } from "../api/queries";
import { useCart } from "../cart/useCart";
import { Icon } from "../ui/Icon";
import { SearchBox } from "./SearchBox";

/** Loaded for signed-in users only. If its file cannot be loaded, the badge is left out. */
const Unread = lazy(() => import("./Unread").catch(() => ({ default: () => null })));

/** products/templates/shop/base.html renders the same on the server: change both. */
export function Header() {
  const { t } = useLingui();
  const user = useUser();
  const location = useLocation();
  // Fetched by Unread, after the page's own data.
  const unpaid = useQuery({ ...meQuery, enabled: false }).data?.counts.unpaid_orders ?? 0;
  const inCart = useCart().lines.reduce((sum, line) => sum + line.number, 0);
  return (
    <header className={user ? "top known" : "top"}>
      <div className="wrap top-row">
        <Link className="brand" to="/">
          <Sign />
          O-Mache
        </Link>
        <SearchBox />
        <nav className="top-links" aria-label={t`Main menu`}>
          {user && (
            // In front, so that the links rendered by the server do not move.
            <Link className="top-link" to="/notices">
              <Icon name="bell" />
              <span className="word">
                <Trans>Notifications</Trans>
              </span>
              <Suspense>
                <Unread />
              </Suspense>
            </Link>
          )}
          <Link className="top-link roomy" to="/selling">
            <Icon name="tag" />
            <span className="word">
              <Trans>Sell</Trans>
            </span>
          </Link>
          <Link className="top-link" to="/orders">
            <Icon name="orders" />
            <span className="word">
              <Trans>Orders</Trans>
            </span>
            {user && unpaid > 0 && (
              <span className="count">
                {unpaid}
                <span className="hidden">
                  <Trans>to pay</Trans>
                </span>
              </span>
            )}
          </Link>
          <Link className="top-link" to={user ? "/account" : signInFrom(location)}>
            <Icon name="person" />
            <span className="word">{user ? t`Account` : t`Sign in`}</span>
          </Link>
          <Link className="top-link" to="/cart">
            <Icon name="cart" />
            <span className="word">
              <Trans>Cart</Trans>
            </span>
            {inCart > 0 && (
              <span className="count">
                {inCart > 99 ? "99+" : inCart}
                <span className="hidden">
                  <Plural value={inCart} one="item" other="items" />
                </span>
              </span>
            )}
          </Link>
        </nav>
      </div>
    </header>
  );
}

function Sign() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#0b5f73" />
      <path d="M5 22 10.5 11 16 22 21.5 11 27 22Z" fill="#fff" />
      <circle cx="16" cy="8" r="2.6" fill="#f2c14e" />
    </svg>
  );
}
