import { Trans, useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { Link, Navigate, useParams } from "react-router";
import type { Line, Order, Track } from "../api/client";
import { ApiError } from "../api/errors";
import { orderQuery, orderTracksQuery } from "../api/queries";
import { Missing } from "../app/Missing";
import { Title } from "../app/Title";
import { dayAndClock, phone } from "../i18n/format";
import { Picture } from "../ui/Picture";
import { Money, Problem } from "../ui/parts";
import { Moves } from "./Moves";
import { ReviewLine } from "./ReviewLine";
import { Story } from "./Story";
import { PAYMENT_STATUS, TRACK_STATUS, toneOf } from "./status";

/** One order: each line with its code, its way and what can be done. */
export default function OrderPage() {
  const { token = "" } = useParams();
  const { t } = useLingui();
  const query = useQuery({
    ...orderQuery(token),
    refetchOnWindowFocus: "always",
    refetchInterval: 60_000,
  });
  // Pictures and sellers: the page does not wait for them.
  const tracks = useQuery(orderTracksQuery(token));
  if (!query.data) {
    if (query.error instanceof ApiError && query.error.status === 404) {
      return <Missing title={t`There is no such order`} />;
    }
    if (query.isError) return <Problem error={query.error} again={() => void query.refetch()} />;
    return <div className="panel stage bone" aria-hidden="true" />;
  }
  const order = query.data;
  if (order.payment_status === "requested") {
    return <Navigate to={`/pay/${order.order_token}`} replace />;
  }
  const reference = order.reference;
  return (
    <div className="narrow stack">
      <Title text={t`Order ${reference}`} />
      <h1>
        <Trans>Order {reference}</Trans>
      </h1>
      {query.isError && <Problem error={query.error} again={() => void query.refetch()} />}
      <Paying order={order} />
      {order.order.map((line) => (
        <LineCard
          key={line.id}
          order={order}
          line={line}
          track={tracks.data?.find((track) => track.id === line.id)}
        />
      ))}
      <p>
        <Link to="/orders">
          <Trans>All orders</Trans>
        </Link>
      </p>
    </div>
  );
}

function Paying({ order }: { order: Order }) {
  const { i18n } = useLingui();
  const placed = dayAndClock(order.created_at);
  const number = phone(order.mpesa_number);
  return (
    <div className="panel">
      <p className="between">
        <strong>{i18n._(PAYMENT_STATUS[order.payment_status])}</strong>
        <Money kes={order.amount} />
      </p>
      <p className="quiet small">
        <Trans>
          Placed {placed}, with the number {number}
        </Trans>
      </p>
      {(order.payment_status === "refund_due" || order.payment_status === "expired") && (
        <p>
          <Link to={`/pay/${order.order_token}`}>
            <Trans>How the money stands</Trans>
          </Link>
        </p>
      )}
    </div>
  );
}

function LineCard({ order, line, track }: { order: Order; line: Line; track: Track | undefined }) {
  const { i18n } = useLingui();
  const seller = track?.seller;
  return (
    <article className="panel order">
      <ul>
        <li>
          <Picture src={track?.avatar ?? null} />
          <span>
            <Link to={`/product/${line.product}`}>
              {line.number} × {line.name}
            </Link>
            <br />
            {seller && (
              <span className="quiet small">
                <Trans>Sold by {seller}</Trans>
              </span>
            )}
          </span>
          <Money kes={line.amount} />
        </li>
      </ul>
      <footer className="stack">
        <p>
          <span className={`tag ${toneOf(line.track_status)}`}>
            {i18n._(TRACK_STATUS[line.track_status])}
          </span>
        </p>
        {line.collection_code && line.track_status !== "delivered" && (
          <Code code={line.collection_code} />
        )}
        <Moves order={order} line={line} />
        <Story lineId={line.id} status={line.track_status} />
        {line.track_status === "delivered" && <ReviewLine line={line} />}
      </footer>
    </article>
  );
}

function Code({ code }: { code: string }) {
  return (
    <div className="code">
      <p>
        <Trans>Read this out when you have your goods in hand, not before:</Trans>
      </p>
      <output aria-label={code.split("").join(" ")}>
        {code.slice(0, 3)} {code.slice(3)}
      </output>
    </div>
  );
}
