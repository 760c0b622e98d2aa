import { Trans } from "@lingui/react/macro";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useUser } from "../account/useUser";
import { useGuestOrders } from "../orders/guestOrders";
import { Empty } from "../ui/parts";

/** Nothing to buy. Who has just ordered comes here too, by the browser's Back. */
export function EmptyCart({ children }: { children?: ReactNode }) {
  const isBuyer = useUser() !== null;
  const hasOrdered = useGuestOrders().length > 0;
  return (
    <Empty title={<Trans>Your cart is empty</Trans>}>
      {children}
      {(isBuyer || hasOrdered) && (
        <p>
          <Trans>
            What you have ordered is in <Link to="/orders">your orders</Link>.
          </Trans>
        </p>
      )}
      <Link className="button" to="/">
        <Trans>Browse products</Trans>
      </Link>
    </Empty>
  );
}
