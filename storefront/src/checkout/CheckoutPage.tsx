import { useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { Navigate } from "react-router";
import { useUser } from "../account/useUser";
import { features } from "../api/boot";
import { ApiError, lineErrors } from "../api/errors";
import { Title } from "../app/Title";
import { EmptyCart } from "../cart/EmptyCart";
import { useCart } from "../cart/useCart";
import { quoteDelivery, useChoice } from "../delivery/choice";
import { quoteQuery } from "../delivery/queries";
import { Problem } from "../ui/parts";
import { waitingAttempt } from "./attempt";
import { CheckoutForm } from "./CheckoutForm";
import { OrderSummary } from "./OrderSummary";
import { useCashout } from "./useCashout";

/** The checkout: delivery, current cost, and the number that pays. All amounts are the API's quote. */
export default function CheckoutPage() {
  const { t } = useLingui();
  const cart = useCart();
  const user = useUser();
  const cashout = useCashout();
  const [choice, change] = useChoice(user?.pk ?? 0);
  const isOver = cashout.isPending || cashout.isSuccess;
  const query = useQuery({
    ...quoteQuery(cart.lines, quoteDelivery(choice)),
    // Not while the order is placed: it reserves its goods, so they would look sold out.
    enabled: cart.lines.length > 0 && !isOver,
  });
  const { mutate } = cashout;
  const buyer = user?.pk ?? 0;
  // The page was reloaded before the response came: send the order again, with the same key.
  useEffect(() => {
    const waiting = waitingAttempt(buyer);
    if (waiting) mutate(waiting.body);
  }, [mutate, buyer]);

  const isUnknown = cashout.error instanceof ApiError && cashout.error.status === 401;
  if (!user && (!features.guest_checkout || isUnknown)) {
    return <Navigate to="/sign-in?to=/checkout" replace />;
  }
  if (cart.lines.length === 0 && !isOver) {
    return (
      <>
        <Title text={t`Checkout`} />
        <h1 className="hidden">{t`Checkout`}</h1>
        <EmptyCart />
      </>
    );
  }
  const quote = query.data;
  return (
    <>
      <Title text={t`Checkout`} />
      <h1>{t`Checkout`}</h1>
      {query.isError && <Problem error={query.error} again={() => void query.refetch()} />}
      <div className="two">
        <CheckoutForm
          quote={quote}
          // The quote of the previous place or cart is shown until the new one arrives.
          isOld={query.isPlaceholderData || query.isError}
          choice={choice}
          change={change}
          cashout={cashout}
        />
        {quote && (
          <OrderSummary
            quote={quote}
            names={new Map(cart.lines.map(({ id, name }) => [id, name]))}
            errors={lineErrors(cashout.error)}
            isBrought={choice.way !== "none"}
            isQuiet={isOver}
          />
        )}
      </div>
    </>
  );
}
