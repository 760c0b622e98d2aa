/** Form components. In a file of their own, because the first pages need none. */

import { useLingui } from "@lingui/react/macro";
import { type ReactNode, useEffect, useState } from "react";
import { serverNow } from "../api/client";
import { Icon } from "./Icon";

/** A text field with its label, hint and error. */
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
  error?: ReactNode;
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

/** A number with buttons for one less and one more. */
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
        aria-label={t`Decrease quantity`}
        disabled={value <= 1}
        onClick={() => change(value - 1)}
      >
        −
      </button>
      <output aria-live="polite">{value}</output>
      <button
        type="button"
        aria-label={t`Increase quantity`}
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

/** Copy a text, also without the Clipboard API: over plain http, and in old WebViews. */
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

/** Counts down the seconds until a moment, in milliseconds by the server's clock; 0 once it is over. */
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
