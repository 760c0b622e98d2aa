import { Trans } from "@lingui/react/macro";
import type { Order } from "../api/client";
import { money } from "../i18n/format";
import { Money } from "../ui/parts";

/** What goes back to the phone that paid, and what has arrived there. */
type Back = Pick<Order, "refund" | "refunded" | "amount" | "payment_status">;

/** Whether the order's status says it already: its whole price goes back. */
function isOfAll({ refund, amount, payment_status: status }: Back): boolean {
  return refund === amount && (status === "refund_due" || status === "refunded");
}

/** The refunds of an order, as rows below its price. None while nothing goes back. */
export function RefundRows({ of: order }: { of: Back }) {
  if (isOfAll(order)) return null;
  const { refund, refunded } = order;
  const onItsWay = refund - refunded;
  return (
    <>
      {refunded > 0 && (
        <p className="between">
          <span>
            <Trans>Refunded</Trans>
          </span>
          <Money kes={refunded} />
        </p>
      )}
      {onItsWay > 0 && (
        <p className="between">
          <span>
            <Trans>Refund on its way</Trans>
          </span>
          <Money kes={onItsWay} />
        </p>
      )}
    </>
  );
}

/** The same in a few words, for a list. */
export function RefundInShort({ of: order }: { of: Back }) {
  const { refund, refunded } = order;
  if (refund === 0 || isOfAll(order)) return null;
  const amount = money(refund);
  return (
    <span className="quiet small">
      {refunded === refund ? (
        <Trans>{amount} refunded</Trans>
      ) : (
        <Trans>{amount} being refunded</Trans>
      )}
    </span>
  );
}

/** How much less than at the sale a line costs after a problem with it. */
export function Reduced({ by }: { by: number }) {
  if (by === 0) return null;
  const amount = money(by);
  return (
    <p className="quiet small">
      <Trans>Price reduced by {amount}</Trans>
    </p>
  );
}
