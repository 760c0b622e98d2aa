import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import { Trans, useLingui } from "@lingui/react/macro";
import { useState } from "react";
import type { Schemas } from "../api/client";
import { Field } from "../ui/parts";

export type Reason = Schemas["AttemptInput"]["reason"];

const REASONS: Record<Reason, MessageDescriptor> = {
  nobody_there: msg`Nobody was there or answered the phone.`,
  not_found: msg`I could not find the place.`,
  another_time: msg`They asked for another time.`,
  no_code: msg`They had no code.`,
};

/** A failed delivery attempt: the agent gives the reason, and the buyer is notified. */
export function FailedDelivery({
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
        <Trans>Could not deliver</Trans>
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
          <Trans>Why? The buyer will see this.</Trans>
        </legend>
        {Object.entries(REASONS).map(([reason, words]) => (
          <label className="choice" key={reason}>
            <input type="radio" name="reason" value={reason} required />
            <span>{i18n._(words)}</span>
          </label>
        ))}
      </fieldset>
      <Field label={<Trans>More details (optional)</Trans>} name="more" maxLength={120} />
      <p>
        <Trans>
          Keep the parcel and try again. If you cannot deliver it, contact the shop: they will
          reassign it or refund the buyer.
        </Trans>
      </p>
      <div className="buttons">
        <button type="submit" className="button wide" disabled={isBusy}>
          <Trans>Notify the buyer</Trans>
        </button>
        <button type="button" className="button plain wide" onClick={() => setOpen(false)}>
          <Trans>Go back</Trans>
        </button>
      </div>
    </form>
  );
}
