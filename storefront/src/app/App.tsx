/** The frame of every page: banner, header and footer; focus and scroll position of a new page. */

import { Trans } from "@lingui/react/macro";
import { Component, type ReactNode, Suspense, useLayoutEffect, useRef } from "react";
import { Navigate, Route, Routes, useLocation, useNavigationType } from "react-router";
import { useUser } from "../account/useUser";
import { clearResponseCache } from "../api/responseCache";
import { Footer } from "./Footer";
import { Header } from "./Header";
import { NotFound } from "./NotFound";
import { PAGES } from "./pages";
import { StatusBanner } from "./StatusBanner";

export function App() {
  const main = useRef<HTMLElement>(null);
  useNewPage(main);
  const { pathname } = useLocation();
  return (
    <>
      <a className="skip" href="#main">
        <Trans>Skip to content</Trans>
      </a>
      <StatusBanner />
      <Header />
      <main id="main" className="wrap" ref={main} tabIndex={-1}>
        <ErrorBoundary key={pathname}>
          <Suspense fallback={null}>
            <Routes>
              {PAGES.map(({ path, page: Page, isPrivate }) => (
                <Route
                  key={path}
                  path={path}
                  element={
                    isPrivate ? (
                      <Private>
                        <Page />
                      </Private>
                    ) : (
                      <Page />
                    )
                  }
                />
              ))}
              <Route path="*" element={<NotFound />} />
            </Routes>
          </Suspense>
        </ErrorBoundary>
      </main>
      <Footer />
    </>
  );
}

/** Pages for signed-in users; others are sent to sign in and return. */
function Private({ children }: { children: ReactNode }) {
  const user = useUser();
  const { pathname, search } = useLocation();
  if (user) return children;
  return <Navigate to={`/sign-in?to=${encodeURIComponent(pathname + search)}`} replace />;
}

/** Scroll a new page to its top, and focus it for screen readers. Going back is left to the browser,
 *  which restores the position. */
function useNewPage(main: React.RefObject<HTMLElement | null>): void {
  const { pathname, key } = useLocation();
  const kind = useNavigationType();
  const before = useRef({ pathname, key });
  useLayoutEffect(() => {
    const last = before.current;
    before.current = { pathname, key };
    if (last.key === key || kind === "POP") return;
    if (kind === "PUSH" || last.pathname !== pathname) {
      scrollTo(0, 0);
      main.current?.focus({ preventScroll: true });
    }
  }, [main, pathname, key, kind]);
}

/** Shows an error in place of a page that crashes. The usual cause is a script file of an older
 *  version that is gone from the server. */
class ErrorBoundary extends Component<{ children: ReactNode }, { isBroken: boolean }> {
  override state = { isBroken: false };

  static getDerivedStateFromError() {
    return { isBroken: true };
  }

  override componentDidCatch() {
    // The cause may be a stored response: reloading must not meet it again.
    clearResponseCache();
  }

  override render() {
    if (!this.state.isBroken) return this.props.children;
    return (
      <div className="empty" role="alert">
        <h1>
          <Trans>This page did not load</Trans>
        </h1>
        <p className="quiet">
          <Trans>Your connection dropped, or there is a newer version of the shop.</Trans>
        </p>
        <button type="button" className="button" onClick={() => location.reload()}>
          <Trans>Reload</Trans>
        </button>
      </div>
    );
  }
}
