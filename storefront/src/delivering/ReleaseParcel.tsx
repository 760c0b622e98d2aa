import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import { Trans, useLingui } from "@lingui/react/macro";
import { useState } from "react";
import { Field } from "../ui/parts";

const REASONS: MessageDescriptor[] = [
  msg`The seller does not answer.`,
  msg`The items are not ready.`,
  msg`The items are not what was ordered.`,
  msg`I have no time or no way to get there.`,
];

/** An agent releases a parcel that is not fetched yet, with a reason, for other agents. */
export function ReleaseParcel({
  order,
  isBusy,
  send,
}: {
  order: string;
  isBusy: boolean;
  send: (note: string) => void;
}) {
  const { i18n } = useLingui();
  const [isOpen, setOpen] = useState(false);
  if (!isOpen) {
    return (
      <button type="button" className="as-link" onClick={() => setOpen(true)}>
        <Trans>I cannot collect it</Trans>
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
        const said = [typed.get("reason"), typed.get("more")].map((each) => String(each ?? ""));
        send(
          said
            .map((each) => each.trim())
            .filter(Boolean)
            .join(" ")
            .slice(0, 200),
        );
      }}
    >
      <fieldset className="choices">
        <legend className="label">
          <Trans>Why? The shop will see this.</Trans>
        </legend>
        {REASONS.map((reason) => (
          <label className="choice" key={reason.id}>
            <input type="radio" name="reason" value={i18n._(reason)} required />
            <span>{i18n._(reason)}</span>
          </label>
        ))}
      </fieldset>
      <Field label={<Trans>More details (optional)</Trans>} name="more" maxLength={120} />
      <p>
        <Trans>Another agent will be able to take it.</Trans>
      </p>
      <div className="buttons">
        <button type="submit" className="button danger wide" disabled={isBusy}>
          {isBusy ? <Trans>Please wait…</Trans> : <Trans>Release it</Trans>}
        </button>
        <button type="button" className="button plain wide" onClick={() => setOpen(false)}>
          <Trans>Go back</Trans>
        </button>
      </div>
    </form>
  );
}
