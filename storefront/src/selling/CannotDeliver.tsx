import { Trans, useLingui } from "@lingui/react/macro";
import { useState } from "react";
import { fieldError } from "../api/errors";
import { money } from "../i18n/format";
import { Problem } from "../ui/parts";
import type { Sale } from "./queries";
import { useMoveLine } from "./useMoveLine";

/** The seller cancels a sale: the reason, and whether the goods can be sold again. */
export function CannotDeliver({ sale, done }: { sale: Sale; done: (said: string) => void }) {
  const { t } = useLingui();
  const [isOpen, setOpen] = useState(false);
  const amount = money(sale.amount - sale.reduced);
  const name = sale.name;
  const move = useMoveLine(sale.id, () =>
    done(t`Cancelled: ${name}. ${amount} is refunded to the buyer.`),
  );
  const wrong = fieldError(move.error, "note");
  if (!isOpen) {
    return (
      <button type="button" className="as-link" onClick={() => setOpen(true)}>
        <Trans>I cannot deliver this</Trans>
        <span className="hidden"> ({name})</span>
      </button>
    );
  }
  const id = `why-${sale.id}`;
  return (
    <form
      className="notice warn stack"
      onSubmit={(event) => {
        event.preventDefault();
        const typed = new FormData(event.currentTarget);
        move.mutate({
          to: "cancelled",
          note: String(typed.get("note") ?? "").trim(),
          goods_there: typed.get("goods_there") === "on",
        });
      }}
    >
      <p>
        <Trans>
          We refund {amount} to the buyer and you are not paid for this item. This cannot be undone.
        </Trans>
      </p>
      <div className="field">
        <label className="label" htmlFor={id}>
          <Trans>Why? The buyer will see this.</Trans>
        </label>
        <input
          id={id}
          name="note"
          className="input"
          required
          maxLength={200}
          aria-invalid={wrong ? true : undefined}
          aria-describedby={wrong ? `${id}-about` : undefined}
        />
        <div id={`${id}-about`}>{wrong && <span className="error">{wrong}</span>}</div>
      </div>
      <label className="choice">
        <input type="checkbox" name="goods_there" />
        <span>
          <Trans>Put the item back in stock</Trans>
        </span>
      </label>
      {move.error && !wrong && <Problem error={move.error} />}
      <div className="row">
        <button type="submit" className="button danger little" disabled={move.isPending}>
          {move.isPending ? <Trans>Please wait…</Trans> : <Trans>Cancel sale</Trans>}
        </button>
        <button type="button" className="button plain little" onClick={() => setOpen(false)}>
          <Trans>Go back</Trans>
        </button>
      </div>
    </form>
  );
}
