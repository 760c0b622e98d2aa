/** Small components that many pages use. Those of forms are in inputs.tsx. */

import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useConnection } from "../api/connection";
import { ApiError, isAway, NoAnswer } from "../api/errors";
import { money } from "../i18n/format";

export { CopyButton, Field, Stepper, useSecondsUntil } from "./inputs";

export function Money({ kes }: { kes: number }) {
  return <span className="money">{money(kes)}</span>;
}

export function Stars({ stars, reviews }: { stars: number | null; reviews: number }) {
  const { t } = useLingui();
  if (stars === null) return null;
  return (
    <span className="stars">
      <span className="sign" aria-hidden="true">
        ★
      </span>
      <span className="hidden">{t`${stars} of 5 stars,`} </span>
      {stars.toFixed(1)}
      <span className="quiet">
        <span aria-hidden="true">({reviews})</span>
        <span className="hidden">
          <Plural value={reviews} one="# review" other="# reviews" />
        </span>
      </span>
    </span>
  );
}

/** The error of a request as text for users, with a button to try again if `again` is given. */
export function Problem({ error, again }: { error: unknown; again?: (() => void) | undefined }) {
  return (
    <div className="notice bad stack" role="alert">
      <p>
        {error instanceof NoAnswer ? <Unanswered isAsked={!!again} /> : <ErrorText of={error} />}
      </p>
      {again && (
        <button type="button" className="button plain little" onClick={again}>
          <Trans>Try again</Trans>
        </button>
      )}
    </div>
  );
}

/** The text of `NoAnswer`. `isAsked`: it was a query, which is repeated automatically once there is a
 *  network; an action the user has to repeat. */
function Unanswered({ isAsked }: { isAsked: boolean }) {
  const isUp = useConnection();
  if (isAsked && !isUp) {
    return <Trans>No connection to the shop. This will load when there is one.</Trans>;
  }
  if (isAsked || !isUp) {
    return <Trans>We could not reach the shop. Check your connection and try again.</Trans>;
  }
  return <Trans>No answer came to that, but there is a connection again. Try again.</Trans>;
}

function ErrorText({ of: error }: { of: unknown }) {
  if (!(error instanceof ApiError)) return <Trans>Something went wrong on this page.</Trans>;
  if (error.status === 429 && error.retryAfter && !error.code) {
    return (
      <Plural
        value={error.retryAfter}
        one="Too many requests from your network. Try again in # second."
        other="Too many requests from your network. Try again in # seconds."
      />
    );
  }
  if (isAway(error)) return <Trans>The shop is very busy. Try again in a moment.</Trans>;
  if (error.status >= 500) {
    const id = error.requestId;
    if (!id) return <Trans>Something went wrong on our side. Try again in a moment.</Trans>;
    return (
      <Trans>
        Something went wrong on our side. If it keeps happening, contact us with this number: {id}
      </Trans>
    );
  }
  return <>{error.general ?? firstOf(error) ?? error.message}</>;
}

function firstOf(error: ApiError): string | null {
  for (const name of Object.keys(error.body)) {
    const said = error.field(name);
    if (said) return said;
  }
  return null;
}

export function Empty({ title, children }: { title: ReactNode; children?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Whether an element has come near the screen; true at once in browsers that cannot tell. */
export function useSeen<T extends Element>(margin = "200px"): [React.RefObject<T | null>, boolean] {
  const ref = useRef<T>(null);
  const [seen, setSeen] = useState(typeof IntersectionObserver === "undefined");
  useEffect(() => {
    if (seen || !ref.current) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) setSeen(true);
      },
      { rootMargin: margin },
    );
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, [seen, margin]);
  return [ref, seen];
}
