import { Trans, useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { Link, Navigate, useParams } from "react-router";
import type { Line, Order } from "../api/client";
import { ApiError } from "../api/errors";
import { orderQuery, trackStoryQuery } from "../api/queries";
import { NotFound } from "../app/NotFound";
import { Title } from "../app/Title";
import { DeliveryDetails, Fee } from "../delivery/DeliveryDetails";
import { dayAndClock, money, phone } from "../i18n/format";
import { Picture } from "../ui/Picture";
import { Money, Problem, useSeen } from "../ui/parts";
import { isStillGuests } from "./guestOrders";
import { LineActions } from "./LineActions";
import { LineHistory } from "./LineHistory";
import { PAYMENT_STATUS, TRACK_STATUS, toneOf, UNDER_WAY } from "./labels";
import { ProblemLine } from "./ProblemLine";
import { Reduced, RefundRows } from "./Refunds";
import { ReviewLine } from "./ReviewLine";

/** One order: each line with its collection code, its history and the buyer's actions. */
export default function OrderPage() {
  const { token = "" } = useParams();
  const { t } = useLingui();
  const query = useQuery({
    ...orderQuery(token),
    refetchOnWindowFocus: "always",
    refetchInterval: 60_000,
  });
  if (!query.data) {
    if (query.error instanceof ApiError && query.error.status === 404) {
      return <NotFound title={t`Order not found`} />;
    }
    return (
      <div className="narrow stack">
        <Title text={t`Your order`} />
        <h1>{t`Your order`}</h1>
        {query.isError ? (
          <Problem error={query.error} again={() => void query.refetch()} />
        ) : (
          <Skeleton />
        )}
      </div>
    );
  }
  const order = query.data;
  if (order.payment_status === "requested") {
    return <Navigate to={`/pay/${order.order_token}`} replace />;
  }
  // Without its phone this account sees no more of it than anybody who has its address.
  if (isStillGuests(order)) return <Navigate to={`/pay/${order.order_token}`} replace />;
  const reference = order.reference;
  return (
    <div className="narrow stack">
      <Title text={t`Order ${reference}`} />
      <h1>
        <Trans>Order {reference}</Trans>
      </h1>
      {query.isError && <Problem error={query.error} again={() => void query.refetch()} />}
      <Paying order={order} />
      {order.delivery ? (
        <DeliveryDetails
          delivery={order.delivery}
          isUnderWay={order.order.some(({ track_status: status }) => UNDER_WAY.has(status))}
        />
      ) : (
        <p className="quiet">
          <Trans>You and the seller arrange delivery.</Trans>
        </p>
      )}
      {order.order.map((line) => (
        <LineCard key={line.id} order={order} line={line} />
      ))}
      <p>
        <Link to="/orders">
          <Trans>All orders</Trans>
        </Link>
      </p>
    </div>
  );
}

/** A placeholder of the same height as the order. */
function Skeleton() {
  return (
    <div className="stack" aria-hidden="true">
      <div className="panel skeleton order-sum" />
      <div className="panel skeleton order-line" />
    </div>
  );
}

function Paying({ order }: { order: Order }) {
  const { i18n } = useLingui();
  const placed = dayAndClock(order.created_at);
  const number = phone(order.mpesa_number);
  const status = order.payment_status;
  // All that was paid goes back: the whole price, or what came of it.
  const isBack = status === "refund_due" || status === "refunded";
  return (
    <div className="panel">
      <p className="between">
        <strong>{i18n._(PAYMENT_STATUS[status])}</strong>
        <Money kes={isBack ? order.refund : order.amount} />
      </p>
      {isBack && order.refund !== order.amount && (
        <p className="between">
          <span>
            <Trans>Total</Trans>
          </span>
          <Money kes={order.amount} />
        </p>
      )}
      {order.delivery && (
        <p className="between">
          <Trans>Includes delivery</Trans>
          <Fee kes={order.delivery_fee} />
        </p>
      )}
      {!isBack && <RefundRows of={order} />}
      <p className="quiet small">
        {status === "expired" || status === "cancelled" ? (
          <Trans>Placed {placed}</Trans>
        ) : (
          <Trans>
            Placed {placed}, paid from {number}
          </Trans>
        )}
      </p>
      {(order.payment_status === "refund_due" || order.payment_status === "expired") && (
        <p>
          <Link to={`/pay/${order.order_token}`}>
            <Trans>Payment details</Trans>
          </Link>
        </p>
      )}
    </div>
  );
}

function LineCard({ order, line }: { order: Order; line: Line }) {
  const { i18n } = useLingui();
  const { seller } = line;
  // The line's history, review and problem: loaded when the user has scrolled near it.
  const [ref, isSeen] = useSeen<HTMLElement>();
  const story = useQuery({
    ...trackStoryQuery(line.id),
    // A change of status adds a step to the history.
    queryKey: [...trackStoryQuery(line.id).queryKey, line.track_status],
    enabled: isSeen,
    // A cached one may lack a decision about a problem.
    staleTime: 0,
    refetchInterval: UNDER_WAY.has(line.track_status) ? 60_000 : false,
  });
  return (
    <article className="panel order" ref={ref}>
      <ul>
        <li>
          <Picture src={line.thumbnail} />
          <span>
            <Link to={`/product/${line.product}`}>
              {line.number} × {line.name}
            </Link>
            <br />
            <span className="quiet small">
              <Trans>Sold by {seller}</Trans>
            </span>
          </span>
          <Money kes={line.amount} />
        </li>
      </ul>
      <footer className="stack">
        <p role="status">
          <span className={`tag ${toneOf(line.track_status)}`}>
            {i18n._(TRACK_STATUS[line.track_status])}
          </span>
        </p>
        <Reduced by={line.reduced} />
        <GoesBack order={order} line={line} />
        {line.collection_code && line.track_status !== "delivered" && (
          <Code code={line.collection_code} isUsedUp={story.data?.code_tries === 0} />
        )}
        <LineActions order={order} line={line} />
        <LineHistory
          story={story.data}
          status={line.track_status}
          error={story.error}
          again={() => void story.refetch()}
        />
        {story.data && <ProblemLine token={order.order_token} line={story.data} />}
        {story.data && (story.data.can_review || story.data.reviewed) && (
          <ReviewLine line={line} isWritten={story.data.reviewed} />
        )}
      </footer>
    </article>
  );
}

/** Where the money of a cancelled line is. */
function GoesBack({ order, line }: { order: Order; line: Line }) {
  // A reduction went back by itself.
  const amount = money(line.amount - line.reduced);
  const number = phone(order.mpesa_number);
  if (order.payment_status === "expired" || order.payment_status === "cancelled") return null;
  // Of an order that was not paid in full, less went back than its lines cost.
  if (order.refund < lostOf(order)) return null;
  if (line.track_status === "cancelled") {
    return (
      <p>
        <Trans>
          {amount} is being refunded to the phone that paid ({number}).
        </Trans>
      </p>
    );
  }
  if (line.track_status === "refunded") {
    return (
      <p>
        <Trans>
          {amount} was refunded to the phone that paid ({number}).
        </Trans>
      </p>
    );
  }
  return null;
}

/** What the cancelled lines of an order cost. */
function lostOf({ order: lines }: Order): number {
  return lines
    .filter(({ track_status: status }) => status === "cancelled" || status === "refunded")
    .reduce((sum, line) => sum + line.amount - line.reduced, 0);
}

/** The line's collection code; once too many wrong ones were entered it opens nothing. */
function Code({ code, isUsedUp }: { code: string; isUsedUp: boolean }) {
  if (isUsedUp) {
    return (
      <p className="notice warn">
        <Trans>
          Too many wrong codes were entered, so your code no longer works. Once you have your items,
          confirm it here, or call the shop.
        </Trans>
      </p>
    );
  }
  return (
    <div className="code">
      <p>
        <Trans>Read this code out only once you have your items:</Trans>
      </p>
      <output aria-label={code.split("").join(" ")} translate="no">
        {code.slice(0, 3)} {code.slice(3)}
      </output>
    </div>
  );
}
