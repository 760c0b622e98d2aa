import { Trans, useLingui } from "@lingui/react/macro";
import { useEffect, useRef } from "react";
import { Link } from "react-router";
import { dayAndClock, money, phone, typedPhone } from "../i18n/format";
import { toneOf, UNDER_WAY } from "../orders/labels";
import { Picture } from "../ui/Picture";
import { CopyButton, Money } from "../ui/parts";
import { CannotDeliver } from "./CannotDeliver";
import { HandOver } from "./HandOver";
import { countyName, SALE_STATUS } from "./labels";
import type { Sale } from "./queries";

/** One sold line: goods, buyer, destination, and the seller's actions. */
export function SaleRow({
  sale,
  isMarked,
  isFirst,
  done,
}: {
  sale: Sale;
  isMarked: boolean;
  /** It is the first highlighted row, and is scrolled into view. */
  isFirst: boolean;
  /** Called with a message after an action, with which the row may leave the list. */
  done: (said: string) => void;
}) {
  const { i18n, t } = useLingui();
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isFirst) row.current?.scrollIntoView({ block: "center" });
  }, [isFirst]);
  const { order } = sale;
  const since = dayAndClock(sale.updated_at);
  const reduced = money(sale.reduced);
  return (
    <li className={isMarked ? "panel sale stack marked" : "panel sale stack"} ref={row}>
      <header>
        <Picture src={sale.thumbnail} />
        <div>
          <h2>
            <Link to={`/product/${sale.product}`}>
              {sale.number} × {sale.name}
            </Link>
          </h2>
          <Money kes={sale.amount} />
          {sale.reduced > 0 && (
            <p className="quiet small">
              <Trans>Price reduced by {reduced}</Trans>
            </p>
          )}
          <p>
            <span className={`tag ${toneOf(sale.track_status)}`}>
              {i18n._(SALE_STATUS[sale.track_status])}
            </span>{" "}
            <span className="quiet small">
              <Trans>since {since}</Trans>
            </span>
          </p>
          {isMarked && (
            <p className="small">
              <Trans>This is the order in your notification.</Trans>
            </p>
          )}
        </div>
      </header>
      <dl className="facts">
        <Fact name={<Trans>Order</Trans>}>{sale.order}</Fact>
        <Fact name={<Trans>Buyer</Trans>}>
          {sale.buyer === "customer" ? <Trans>Guest customer</Trans> : sale.buyer}
        </Fact>
        {sale.phone && (
          <Fact name={<Trans>Phone</Trans>}>
            <span className="row">
              <a href={`tel:+${sale.phone}`}>{phone(sale.phone)}</a>
              <CopyButton text={typedPhone(sale.phone)} of={t`phone for order ${order}`} />
            </span>
          </Fact>
        )}
        {sale.phone && (
          <Fact name={<Trans>Deliver to</Trans>}>
            <Way sale={sale} />
          </Fact>
        )}
      </dl>
      {sale.track_status === "paid" && (
        <p className="quiet small">
          {sale.delivery ? (
            <Trans>
              Get it ready: the delivery agent collects it from you. The buyer's code confirms
              delivery.
            </Trans>
          ) : (
            <Trans>
              Get it ready, and call the buyer to agree on delivery. The buyer's code confirms it.
            </Trans>
          )}
        </p>
      )}
      {sale.code_tries === 0 && UNDER_WAY.has(sale.track_status) && (
        <p className="notice warn">
          {sale.track_status === "paid" ? (
            <Trans>Too many wrong codes were entered. The shop has to confirm the delivery.</Trans>
          ) : (
            <Trans>
              Too many wrong codes were entered. Ask the buyer to press “I received it” on the
              order's page, or call the shop.
            </Trans>
          )}
        </p>
      )}
      {sale.moves.includes("delivered") && <HandOver sale={sale} done={done} />}
      {sale.moves.includes("cancelled") && <CannotDeliver sale={sale} done={done} />}
    </li>
  );
}

function Fact({ name, children }: { name: React.ReactNode; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Way({ sale }: { sale: Sale }) {
  const county = sale.county ? countyName(sale.county) : "";
  const point = sale.delivery?.pickup_point ?? "";
  if (!sale.delivery) return <Trans>Arranged with the buyer</Trans>;
  if (sale.delivery.way === "pickup") {
    return (
      <Trans>
        Pick-up point {point}, {county}
      </Trans>
    );
  }
  return <Trans>An address in {county}</Trans>;
}
