import { Trans } from "@lingui/react/macro";
import { type ReactNode, useState } from "react";
import { Problem } from "./parts";

/** A step with a consequence: a second press, beside what it will mean. */
export function Ask({
  open,
  means,
  yes,
  isBusy,
  error,
  act,
}: {
  open: ReactNode;
  means: ReactNode;
  yes: ReactNode;
  isBusy: boolean;
  error: Error | null;
  act: () => void;
}) {
  const [isOpen, setOpen] = useState(false);
  if (!isOpen) {
    return (
      <button type="button" className="as-link" onClick={() => setOpen(true)}>
        {open}
      </button>
    );
  }
  return (
    <div className="notice warn stack">
      <p>{means}</p>
      {error && <Problem error={error} />}
      <div className="row">
        <button type="button" className="button danger little" disabled={isBusy} onClick={act}>
          {isBusy ? <Trans>One moment…</Trans> : yes}
        </button>
        <button type="button" className="button plain little" onClick={() => setOpen(false)}>
          <Trans>No, leave it</Trans>
        </button>
      </div>
    </div>
  );
}
