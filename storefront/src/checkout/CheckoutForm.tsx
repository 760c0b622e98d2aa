import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import { Trans, useLingui } from "@lingui/react/macro";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { useUser } from "../account/useUser";
import { dataOf, type Schemas, userApi } from "../api/client";
import { ApiError, fieldError } from "../api/errors";
import { userQuery } from "../api/queries";
import { MOST_AT_ONCE } from "../cart/checkLines";
import {
  type Choice,
  cashoutDelivery,
  missingOf,
  type Place,
  quoteDelivery,
  wrongOf,
} from "../delivery/choice";
import { DeliveryChoice } from "../delivery/DeliveryChoice";
import { Days } from "../delivery/DeliveryDetails";
import { type Address, addressesQuery, type Quote } from "../delivery/queries";
import { money, typedPhone } from "../i18n/format";
import { Field, Problem } from "../ui/parts";
import type { CashoutBody } from "./attempt";
import { CheckoutError } from "./CheckoutError";
import { isMpesaNumber, keepTyped, rememberedNumber, typedNumber } from "./mpesaNumber";
import { mayBePlaced, type useCashout } from "./useCashout";

type Unread = Partial<Record<string, MessageDescriptor>>;

/** The form of the checkout: delivery, and the number that pays. `isOld`: the quote is not for what is
 *  chosen now, so nobody can pay yet. */
export function CheckoutForm({
  quote,
  isOld,
  choice,
  change,
  cashout,
}: {
  quote: Quote | undefined;
  isOld: boolean;
  choice: Choice;
  change: (next: Choice) => void;
  cashout: ReturnType<typeof useCashout>;
}) {
  const { i18n } = useLingui();
  const [unread, setUnread] = useState<Unread>({});
  const [typedOver, setTypedOver] = useState<string | null>(null);
  const [typed] = useState(typedNumber);
  const remembered = typed || rememberedNumber();
  const user = useUser();
  const own = useQuery({
    ...userQuery,
    enabled: user !== null && (!remembered || choice.way === "new"),
  });
  const keep = useSaveAddress();
  const place = placeOf(choice, own.data);
  // The account's phone, if nobody has paid from this browser yet.
  const suggested = remembered || typedPhone(own.data?.phone ?? "");
  const error = cashout.error;
  const refused = { ...wrongOf(keep.error), ...deliveryRefusal(error) };
  const isPlaceRefused = Object.keys(refused).length > 0;
  const said = Object.fromEntries(
    Object.entries(unread).map(([name, words]) => [name, words ? i18n._(words) : ""]),
  );
  const wrongNumber = fieldError(error, "mpesa_number");
  const isBusy = cashout.isPending || cashout.isSuccess || keep.isPending;
  const isChosen = choice.way === "none" || quoteDelivery(choice) !== null;
  const isHad = quote?.lines.every((line) => line.available) ?? false;
  const isBrought = quote !== undefined && quote.amount !== null;
  const amount = money(quote?.amount ?? 0);

  const pay = (number: string) => {
    if (!quote) return;
    const order = (to: Schemas["DeliveryInput"] | undefined) =>
      cashout.mutate(bodyOf(quote, to, number));
    const fee = quote.delivery_fee ?? 0;
    const { county } = place;
    if (!user || choice.way !== "new" || !choice.isKept || !county) {
      return order(cashoutDelivery(choice, place, fee));
    }
    keep.mutate(
      { ...place, county },
      {
        onSuccess: ({ id }) => {
          const kept: Choice = { ...choice, way: id, place: {} };
          change(kept);
          order(cashoutDelivery(kept, place, fee));
        },
      },
    );
  };
  return (
    <form
      className="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (isBusy || isOld || !isHad) return;
        const number = String(new FormData(event.currentTarget).get("mpesa_number") ?? "").trim();
        const missing: Unread = missingOf(choice, place);
        if (!isMpesaNumber(number)) {
          missing.mpesa_number = msg`Enter a Kenyan mobile number, like 0712 345 678.`;
        }
        setUnread(missing);
        if (Object.keys(missing).length === 0 && isBrought) pay(number);
      }}
    >
      {!user && (
        <p className="notice">
          <Trans>
            No account needed: just your M-Pesa phone.{" "}
            <Link to="/sign-in?to=/checkout">Have one? Sign in</Link>
          </Trans>
        </p>
      )}
      <DeliveryChoice
        choice={choice}
        place={place}
        wrong={{ ...refused, ...said }}
        isFixed={isBusy}
        change={(next) => {
          // Errors about the previous choice do not apply any more.
          setUnread({});
          keep.reset();
          cashout.reset();
          change(next);
        }}
      />
      {quote && isChosen && choice.way !== "none" && quote.days !== null && (
        // Shown here too: on a narrow screen the summary is below the button.
        <p className="notice" role="status" aria-busy={isOld}>
          <Bringing fee={quote.delivery_fee ?? 0} days={quote.days} />
        </p>
      )}
      {quote && !isOld && !isBusy && <WhyNotNow quote={quote} isHad={isHad} />}
      <Field
        label={<Trans>M-Pesa number</Trans>}
        // A late suggestion replaces the field's value, unless the user has typed something.
        key={typedOver ?? suggested}
        onInput={(event) => {
          setTypedOver((before) => before ?? suggested);
          keepTyped(event.currentTarget.value);
        }}
        name="mpesa_number"
        type="tel"
        inputMode="tel"
        autoComplete="tel"
        defaultValue={suggested}
        error={said.mpesa_number ?? wrongNumber}
        hint={
          <>
            <Trans>
              We send an M-Pesa prompt to this phone. Enter your PIN to pay: your items are reserved
              meanwhile.
            </Trans>{" "}
            {!user && <Trans>We send order updates to this number by SMS.</Trans>}
          </>
        }
      />
      {error && !wrongNumber && !isPlaceRefused && <CheckoutError error={error} />}
      {keep.error && !isPlaceRefused && <Problem error={keep.error} />}
      {error && mayBePlaced(error) && (
        <p className="quiet">
          <Trans>You can safely press Pay again: you will not be charged twice.</Trans>
        </p>
      )}
      <button
        type="submit"
        className="button wide"
        disabled={isBusy || isOld || !isHad || (isChosen && !isBrought)}
      >
        {isBusy ? (
          <Trans>Placing your order…</Trans>
        ) : isChosen && isBrought && isHad ? (
          <Trans>Pay {amount} with M-Pesa</Trans>
        ) : (
          <Trans>Pay with M-Pesa</Trans>
        )}
      </button>
      <p>
        <Link to="/cart">
          <Trans>Back to cart</Trans>
        </Link>
      </p>
    </form>
  );
}

function Bringing({ fee, days }: { fee: number; days: number }) {
  const cost = money(fee);
  return (
    <>
      {fee > 0 ? <Trans>Delivery: {cost}.</Trans> : <Trans>Free delivery.</Trans>}{" "}
      <Days days={days} />
    </>
  );
}

/** Why the order cannot be placed as it is, according to the quote. */
function WhyNotNow({ quote, isHad }: { quote: Quote; isHad: boolean }) {
  const most = money(MOST_AT_ONCE);
  if (!isHad) {
    return (
      <div className="notice warn stack" role="alert">
        <p>
          <Trans>Some items in your cart are not available</Trans>
        </p>
        <Link className="button" to="/cart">
          <Trans>View cart</Trans>
        </Link>
      </div>
    );
  }
  const problem = quote.problems.find(({ code }) => code !== "price_changed");
  if (!problem) return null;
  const words: Record<string, React.ReactNode> = {
    no_rate: (
      <Trans>We do not deliver there yet. Choose another place, or arrange with the seller.</Trans>
    ),
    point_closed: (
      <Trans>This pick-up point is not accepting parcels right now. Choose another one.</Trans>
    ),
    no_such_point: <Trans>This pick-up point has closed. Choose another one.</Trans>,
    no_such_address: <Trans>This address was deleted. Choose another one.</Trans>,
    above_limit: <Trans>M-Pesa allows up to {most} per payment. Split this into two orders.</Trans>,
  };
  return (
    <p className="notice warn" role="alert">
      {words[problem.code] ?? problem.message}
    </p>
  );
}

/** Save a place as one of the user's addresses. Safe to repeat: the shop stores the same one once. */
function useSaveAddress() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["AddressInput"]) =>
      dataOf(userApi.POST("/account/addresses/", { body })),
    onSuccess: (kept) => {
      client.setQueryData(addressesQuery.queryKey, (known: Address[] = []) => [
        ...known.filter(({ id }) => id !== kept.id),
        kept,
      ]);
    },
  });
}

/** The place as the form shows it: what was typed, otherwise the buyer's own name and phone. */
function placeOf({ place }: Choice, user: Schemas["UserDetails"] | undefined): Place {
  return {
    recipient: [user?.first_name, user?.last_name].filter(Boolean).join(" "),
    phone: typedPhone(user?.phone ?? ""),
    county: "",
    area: "",
    directions: "",
    ...place,
  };
}

function deliveryRefusal(error: unknown): Readonly<Record<string, string>> {
  return error instanceof ApiError && "delivery" in error.body ? wrongOf(error) : {};
}

/** The body of the cash-out, with each price, the fee and the total as this page shows them: the API
 *  refuses the order if one of them has changed. */
function bodyOf(
  quote: Quote,
  delivery: Schemas["DeliveryInput"] | undefined,
  mpesa_number: string,
): CashoutBody {
  return {
    order: quote.lines.map(({ product, number, price }) => ({
      product,
      number,
      price: price ?? 0,
    })),
    amount: quote.amount ?? quote.goods,
    mpesa_number,
    ...(delivery ? { delivery } : {}),
  };
}
