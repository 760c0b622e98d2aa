/** The small parts that pages share. */

import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { serverNow } from "../api/client";
import { ApiError, NoAnswer } from "../api/errors";
import { money } from "../i18n/format";
import { Icon } from "./Icon";

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

/** What went wrong with a request, in plain words, with a way on where there is one. */
export function Problem({ error, again }: { error: unknown; again?: (() => void) | undefined }) {
  return (
    <div className="notice bad stack" role="alert">
      <p>
        <Words of={error} />
      </p>
      {again && (
        <button type="button" className="button plain little" onClick={again}>
          <Trans>Try again</Trans>
        </button>
      )}
    </div>
  );
}

function Words({ of: error }: { of: unknown }) {
  if (error instanceof NoAnswer) {
    return <Trans>No answer came. See that you are connected, then try again.</Trans>;
  }
  if (!(error instanceof ApiError)) return <Trans>Something went wrong on this page.</Trans>;
  if (error.status === 429 && error.retryAfter && !error.code) {
    return (
      <Plural
        value={error.retryAfter}
        one="Too much was asked from your network. Try again in # second."
        other="Too much was asked from your network. Try again in # seconds."
      />
    );
  }
  if (error.status === 503) return <Trans>The shop is very busy. Try again in a moment.</Trans>;
  if (error.status >= 500) {
    const id = error.requestId;
    return <Trans>Something broke at the shop. If it stays so, tell us this number: {id}</Trans>;
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

/** A text field with its label, its hint and what is wrong with it. */
export function Field({
  label,
  name,
  hint,
  error,
  ...input
}: {
  label: ReactNode;
  name: string;
  hint?: ReactNode;
  error?: string | null | undefined;
} & React.InputHTMLAttributes<HTMLInputElement>) {
  const about = `${name}-about`;
  return (
    <div className="field">
      <label className="label" htmlFor={name}>
        {label}
      </label>
      <input
        {...input}
        id={name}
        name={name}
        className="input"
        aria-invalid={error ? true : undefined}
        aria-describedby={error || hint ? about : undefined}
      />
      <div id={about}>
        {error && <span className="error">{error}</span>}
        {hint && !error && <span className="hint">{hint}</span>}
      </div>
    </div>
  );
}

/** Fewer or more of something. */
export function Stepper({
  value,
  most,
  label,
  change,
}: {
  value: number;
  most: number;
  label: string;
  change: (to: number) => void;
}) {
  const { t } = useLingui();
  return (
    <fieldset className="stepper">
      <legend className="hidden">{label}</legend>
      <button
        type="button"
        aria-label={t`One fewer`}
        disabled={value <= 1}
        onClick={() => change(value - 1)}
      >
        −
      </button>
      <output aria-live="polite">{value}</output>
      <button
        type="button"
        aria-label={t`One more`}
        disabled={value >= most}
        onClick={() => change(value + 1)}
      >
        +
      </button>
    </fieldset>
  );
}

export function CopyButton({ text, of }: { text: string; of: string }) {
  const { t } = useLingui();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    await copyText(text);
    setCopied(true);
  };
  return (
    <button
      type="button"
      className="button plain little"
      onClick={copy}
      aria-label={copied ? t`Copied: ${of}` : t`Copy ${of}`}
    >
      {copied ? <Icon name="check" /> : null}
      {copied ? t`Copied` : t`Copy`}
    </button>
  );
}

/** Also where the page has no clipboard: plain http, and old WebViews. */
async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
}

/** Seconds until a moment of the server's, counted down; 0 once it is over. */
export function useSecondsUntil(moment: number | null): number {
  const left = () => (moment === null ? 0 : Math.max(0, (moment - serverNow()) / 1000));
  const [, tick] = useState(0);
  const over = left() <= 0;
  useEffect(() => {
    if (moment === null || over) return;
    const timer = setInterval(() => tick((count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, [moment, over]);
  return left();
}

/** Whether an element has come near the screen; true at once where nobody can tell. */
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
