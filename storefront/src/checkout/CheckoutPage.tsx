import { Trans, useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link } from "react-router";
import { useUser } from "../account/useUser";
import { ApiError, lineErrors, NoAnswer } from "../api/errors";
import { cartQuery, userQuery } from "../api/queries";
import { Title } from "../app/Title";
import { canOrder, type Judged, judge, totalOf } from "../cart/judge";
import { useCart } from "../cart/useCart";
import { money, phone } from "../i18n/format";
import { Empty, Field, Money, Problem } from "../ui/parts";
import { type CashoutBody, waitingAttempt } from "./attempt";
import { isMpesaNumber, rememberedNumber } from "./mpesaNumber";
import { Refusal } from "./Refusal";
import { useCashout } from "./useCashout";

export default function CheckoutPage() {
  const { t } = useLingui();
  const cart = useCart();
  const user = useUser();
  const cashout = useCashout();
  const query = useQuery(cartQuery(cart.lines.map((line) => line.id)));
  const { mutate } = cashout;
  // The page was loaded anew before the answer came: ask for it under the same key.
  useEffect(() => {
    const waiting = user && waitingAttempt(user.pk);
    if (waiting) mutate(waiting.body);
  }, [mutate, user]);

  if (cart.lines.length === 0 && !cashout.isPending && !cashout.isSuccess) {
    return (
      <>
        <Title text={t`Cash out`} />
        <h1 className="hidden">{t`Cash out`}</h1>
        <Empty title={<Trans>Your cart is empty</Trans>}>
          <Link className="button" to="/">
            <Trans>Look around</Trans>
          </Link>
        </Empty>
      </>
    );
  }
  const lines = query.data ? judge(cart.lines, query.data) : [];
  const errors = lineErrors(cashout.error);
  return (
    <>
      <Title text={t`Cash out`} />
      <h1>{t`Cash out`}</h1>
      {query.isError && <Problem error={query.error} again={() => void query.refetch()} />}
      <div className="two">
        {query.data && !canOrder(lines) && !cashout.isPending && !cashout.isSuccess ? (
          <div className="notice warn stack" role="alert">
            <p>
              <Trans>Something in your cart cannot be had as it stands</Trans>
            </p>
            <Link className="button" to="/cart">
              <Trans>See your cart</Trans>
            </Link>
          </div>
        ) : (
          <Form lines={lines} cashout={cashout} />
        )}
        <aside className="panel sum">
          <h2>
            <Trans>Your order</Trans>
          </h2>
          <ul className="stack">
            {lines.map((line, at) => (
              <li key={line.id}>
                <p className="between">
                  <span>
                    {line.number} × {line.product?.name ?? line.name}
                  </span>
                  <Money kes={(line.product?.price ?? line.price) * line.number} />
                </p>
                {errors[at] && (
                  <span className="error" role="alert">
                    {errors[at]}
                  </span>
                )}
              </li>
            ))}
          </ul>
          <p className="between total">
            <Trans>Together</Trans>
            <Money kes={totalOf(lines)} />
          </p>
        </aside>
      </div>
    </>
  );
}

function Form({ lines, cashout }: { lines: Judged[]; cashout: ReturnType<typeof useCashout> }) {
  const { t } = useLingui();
  const [unread, setUnread] = useState<string | null>(null);
  const remembered = rememberedNumber();
  // The account's, in a browser that has not paid yet.
  const own = useQuery({ ...userQuery, enabled: !remembered });
  const suggested = remembered || phone(own.data?.phone ?? "");
  const total = totalOf(lines);
  const amount = money(total);
  const error = cashout.error;
  const wrong = error instanceof ApiError ? error.field("mpesa_number") : null;
  const isBusy = cashout.isPending || cashout.isSuccess;
  return (
    <form
      className="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (isBusy || lines.length === 0) return;
        const number = String(new FormData(event.currentTarget).get("mpesa_number") ?? "").trim();
        if (!isMpesaNumber(number)) {
          setUnread(t`Give a Kenyan mobile number, like 0712 345 678.`);
          return;
        }
        setUnread(null);
        cashout.mutate(bodyOf(lines, total, number));
      }}
    >
      <Field
        label={<Trans>M-Pesa number that pays</Trans>}
        // Another suggestion is another field: what somebody has typed is never replaced.
        key={suggested}
        name="mpesa_number"
        type="tel"
        inputMode="tel"
        autoComplete="tel"
        defaultValue={suggested}
        error={unread ?? wrong}
        hint={
          <Trans>
            It rings at once and asks for your PIN. The goods are held for you meanwhile.
          </Trans>
        }
      />
      {error && !wrong && <Refusal error={error} />}
      {error instanceof NoAnswer && (
        <p className="quiet">
          <Trans>Press again without fear: it stays one order.</Trans>
        </p>
      )}
      <button type="submit" className="button wide" disabled={isBusy || lines.length === 0}>
        {isBusy ? <Trans>Placing your order…</Trans> : <Trans>Pay {amount} by M-Pesa</Trans>}
      </button>
      <p>
        <Link to="/cart">
          <Trans>Back to the cart</Trans>
        </Link>
      </p>
    </form>
  );
}

/** What is sent: each price and the sum as they stand on this page, so that nobody is charged
 *  another one unseen. */
function bodyOf(lines: Judged[], amount: number, mpesa_number: string): CashoutBody {
  return {
    order: lines.map((line) => ({
      product: line.id,
      number: line.number,
      price: line.product?.price ?? line.price,
    })),
    amount,
    mpesa_number,
  };
}
