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
  const [isOpen, setOpen] = useState(false);
  if (!isOpen) {
    return (
      <button type="button" className="as-link" onClick={() => setOpen(true)}>
        {label}
      </button>
    );
  }
  return (
    <div className="notice warn stack">
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
