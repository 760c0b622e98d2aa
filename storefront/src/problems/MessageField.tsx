import type { ReactNode } from "react";

/** The field for a message about a problem, with a hint who reads it, or its error. */
export function MessageField({
  id,
  label,
  hint,
  error,
  value,
  change,
}: {
  id: string;
  label: ReactNode;
  hint: ReactNode;
  error: string | null;
  value: string;
  change: (to: string) => void;
}) {
  return (
    <div className="field">
      <label className="label" htmlFor={id}>
        {label}
      </label>
      <textarea
        id={id}
        name="text"
        className="input"
        required
        maxLength={2000}
        value={value}
        onChange={(event) => change(event.target.value)}
        aria-invalid={error ? true : undefined}
        aria-describedby={`${id}-about`}
      />
      <div id={`${id}-about`}>
        {error ? <span className="error">{error}</span> : <span className="hint">{hint}</span>}
      </div>
    </div>
  );
}
