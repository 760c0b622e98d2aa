import { Plural, Trans } from "@lingui/react/macro";
import { Fee } from "../delivery/DeliveryDetails";
import type { Quote, QuotedLine } from "../delivery/queries";
import { money } from "../i18n/format";
import { Money } from "../ui/parts";

/** The quote of the cart: the current cost by line and by parcel. */
export function OrderSummary({
  quote,
  names,
  errors,
  isBrought,
  isQuiet,
}: {
  quote: Quote;
  /** The names in the cart: the quote has none for products that are no longer for sale. */
  names: ReadonlyMap<number, string>;
  /** The errors of a refused order, by line. */
  errors: readonly (string | null)[];
  /** Whether the order is delivered. */
  isBrought: boolean;
  /** Hides problems while the order is placed: it reserves the goods itself. */
  isQuiet: boolean;
}) {
  const isKnown = isBrought && quote.days !== null;
  return (
    <aside className="panel sum">
      <h2>
        <Trans>Your order</Trans>
      </h2>
      <ul className="stack">
        {quote.lines.map((line, at) => (
          <li key={line.product}>
            <p className="between">
              <span>
                {line.number} × {line.name ?? names.get(line.product)}
              </span>
              {line.amount !== null && <Money kes={line.amount} />}
            </p>
            {!isQuiet && line.problem ? (
              <p className="error" role="alert">
                <Why line={line} />
              </p>
            ) : (
              errors[at] && (
                <p className="error" role="alert">
                  {errors[at]}
                </p>
              )
            )}
          </li>
        ))}
      </ul>
      {isKnown && (
        <ul className="choices">
          {quote.parcels.map((parcel) => (
            <Parcel key={parcel.seller} parcel={parcel} />
          ))}
        </ul>
      )}
      {isBrought && !isKnown && (
        <p className="between">
          <Trans>Delivery</Trans>
          <span className="quiet">
            <Trans>not known yet</Trans>
          </span>
        </p>
      )}
      <p className="between total" aria-live="polite">
        {isBrought && !isKnown ? <Trans>Items</Trans> : <Trans>Total</Trans>}
        <Money kes={(isBrought && !isKnown ? null : quote.amount) ?? quote.goods} />
      </p>
    </aside>
  );
}

function Parcel({ parcel }: { parcel: Quote["parcels"][number] }) {
  const { seller, fee } = parcel;
  const least = money(parcel.free_above ?? 0);
  return (
    <li>
      <p className="between">
        <span>
          <Trans>Delivery from {seller}</Trans>
        </span>
        <Fee kes={fee} />
      </p>
      {fee > 0 && parcel.free_above !== null && (
        <p className="quiet small">
          <Trans>Free delivery from this seller over {least}.</Trans>
        </p>
      )}
    </li>
  );
}

/** Why a line cannot be bought as requested, or that its price has changed. */
function Why({ line }: { line: QuotedLine }) {
  const { problem } = line;
  const before = money(problem?.shown ?? 0);
  const now = money(line.price ?? 0);
  const left = problem?.left ?? 0;
  switch (problem?.code) {
    case "price_changed":
      return (
        <Trans>
          The price has changed from {before} to {now}.
        </Trans>
      );
    case "short":
      return <Plural value={left} one="Only # left." other="Only # left." />;
    case "sold_out":
      return <Trans>Sold out.</Trans>;
    case "not_for_sale":
      return <Trans>No longer available.</Trans>;
    case "own_goods":
      return <Trans>This is your own listing.</Trans>;
    default:
      return <>{problem?.message}</>;
  }
}
