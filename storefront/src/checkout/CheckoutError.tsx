import { Trans } from "@lingui/react/macro";
import { useEffect } from "react";
import { Link } from "react-router";
import { ApiError, isAway, isObject, lineErrors } from "../api/errors";
import { useCart } from "../cart/useCart";
import { money } from "../i18n/format";
import { Problem } from "../ui/parts";

/** Why the order was not placed, and what to do next. */
export function CheckoutError({ error }: { error: Error }) {
  const { setPrice } = useCart();
  useEffect(() => {
    // The page shows the new prices now: the next press agrees to them.
    for (const line of pricedLines(error)) setPrice(line.product, line.price);
  }, [error, setPrice]);
  if (!(error instanceof ApiError) || isAway(error)) {
    return (
      <p className="notice warn" role="alert">
        <Trans>
          No answer came from the shop, so your order may already be placed. If your phone shows our
          M-Pesa prompt, you can enter your PIN.
        </Trans>
      </p>
    );
  }
  if (error.code === "price_changed") {
    const amount = money(Number(error.body.amount));
    return (
      <p className="notice warn" role="alert">
        <Trans>
          A price has changed. The new total is {amount}. You have not ordered yet: press Pay again
          to continue.
        </Trans>
      </p>
    );
  }
  const tokens = tokensIn(error);
  if (tokens.length > 0) {
    return (
      <div className="notice warn stack" role="alert">
        <p>{error.code === "held_by_your_order" ? firstLineError(error) : error.message}</p>
        <ul>
          {tokens.map((token, at) => (
            <li key={token}>
              <Link to={`/pay/${token}`}>
                <Trans>Unpaid order {at + 1}: pay or cancel</Trans>
              </Link>
            </li>
          ))}
        </ul>
      </div>
    );
  }
  if (lineErrors(error).some(Boolean)) {
    return (
      <p className="notice warn" role="alert">
        <Trans>
          Some items were just bought by others. Check what is left, then{" "}
          <Link to="/cart">edit your cart</Link>.
        </Trans>
      </p>
    );
  }
  return <Problem error={error} />;
}

function firstLineError(error: ApiError): string {
  return lineErrors(error).find(Boolean) ?? error.message;
}

function tokensIn(error: ApiError): string[] {
  const { order_tokens: tokens } = error.body;
  return Array.isArray(tokens) ? tokens.map(String) : [];
}

function pricedLines(error: Error): { product: number; price: number }[] {
  if (!(error instanceof ApiError) || error.code !== "price_changed") return [];
  const { order } = error.body;
  if (!Array.isArray(order)) return [];
  return order.flatMap((line) =>
    isObject(line) ? [{ product: Number(line.product), price: Number(line.price) }] : [],
  );
}
