import { Trans } from "@lingui/react/macro";
import { type ReactNode, useState } from "react";
import { Problem } from "./parts";

/** A button for an action that cannot be undone: it shows a warning and asks for a second press. */
export function ConfirmButton({
  label,
  warning,
  confirm,
  isBusy,
  error,
  onConfirm,
}: {
  label: ReactNode;
  warning: ReactNode;
  confirm: ReactNode;
  isBusy: boolean;
  error: Error | null;
  onConfirm: () => void;
}) {
  /** Null until the first press. */
  const [isOpen, setOpen] = useState<boolean | null>(null);
  if (!isOpen) {
    return (
      <button
        type="button"
        className="as-link"
        ref={isOpen === false ? focus : undefined}
        onClick={() => setOpen(true)}
      >
        {label}
      </button>
    );
  }
  return (
    <div className="notice warn stack" ref={focus} tabIndex={-1}>
      <p>{warning}</p>
      {error && <Problem error={error} />}
      <div className="row">
        <button
          type="button"
          className="button danger little"
          disabled={isBusy}
          onClick={onConfirm}
        >
          {isBusy ? <Trans>Please wait…</Trans> : confirm}
        </button>
        <button type="button" className="button plain little" onClick={() => setOpen(false)}>
          <Trans>Go back</Trans>
        </button>
      </div>
    </div>
  );
}

/** The focus goes on with who pressed: to the warning, and back to the button. */
function focus(element: HTMLElement | null): void {
  element?.focus({ preventScroll: true });
}
