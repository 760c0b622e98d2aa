import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import { Trans, useLingui } from "@lingui/react/macro";
import { useState } from "react";
import type { Schemas } from "../api/client";
import { Field } from "../ui/parts";

export type Reason = Schemas["AttemptInput"]["reason"];

const REASONS: Record<Reason, MessageDescriptor> = {
  nobody_there: msg`Nobody was there or answered the phone.`,
  not_found: msg`I did not find the place.`,
  another_time: msg`They asked for another time.`,
  no_code: msg`They had no code.`,
};

/** A failed delivery attempt: the agent gives the reason, and the buyer is notified. */
export function FailedAttempt({
  order,
  isBusy,
  send,
}: {
  order: string;
  isBusy: boolean;
  send: (reason: Reason, note: string) => void;
}) {
  const { i18n } = useLingui();
  const [isOpen, setOpen] = useState(false);
  if (!isOpen) {
    return (
      <button type="button" className="as-link" onClick={() => setOpen(true)}>
        <Trans>I could not deliver it</Trans>
        <span className="hidden"> ({order})</span>
      </button>
    );
  }
  return (
    <form
      className="notice warn stack"
      onSubmit={(event) => {
        event.preventDefault();
        const typed = new FormData(event.currentTarget);
        send(typed.get("reason") as Reason, String(typed.get("more") ?? "").trim());
        setOpen(false);
      }}
    >
      <fieldset className="choices">
        <legend className="label">
          <Trans>Reason, shown to the buyer</Trans>
        </legend>
        {Object.entries(REASONS).map(([reason, words]) => (
          <label className="choice" key={reason}>
            <input type="radio" name="reason" value={reason} required />
            <span>{i18n._(words)}</span>
          </label>
        ))}
      </fieldset>
      <Field label={<Trans>Details (optional)</Trans>} name="more" maxLength={120} />
      <p>
        <Trans>
          Keep the parcel and try again. If you cannot hand it over at all, contact the shop: it
          assigns another agent or refunds the buyer.
        </Trans>
      </p>
      <div className="presses">
        <button type="submit" className="button wide" disabled={isBusy}>
          <Trans>Notify the buyer</Trans>
        </button>
        <button type="button" className="button plain wide" onClick={() => setOpen(false)}>
          <Trans>Cancel</Trans>
        </button>
      </div>
    </form>
  );
}
