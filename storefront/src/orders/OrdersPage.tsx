import { Trans, useLingui } from "@lingui/react/macro";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { Link, Navigate } from "react-router";
import { useUser } from "../account/useUser";
import { features } from "../api/boot";
import type { Order, Schemas } from "../api/client";
import { ApiError } from "../api/errors";
import { orderQuery, ordersQuery } from "../api/queries";
import { Title } from "../app/Title";
import { clock, day, money } from "../i18n/format";
import { Picture } from "../ui/Picture";
import { Empty, Money, Problem } from "../ui/parts";
import { ShowMore } from "../ui/ShowMore";
import { guestOrders, useGuestOrders } from "./guestOrders";
import { PAYMENT_STATUS, TRACK_STATUS, toneOf } from "./labels";
import { RefundInShort } from "./Refunds";

type Row = Schemas["OrderRowOutput"];
/** The members of an order that a row shows; a guest's order has them too. */
type Shown = Pick<
  Row,
  "order_token" | "reference" | "payment_status" | "amount" | "amount_due" | "created_at"
> &
  Pick<Row, "refund" | "refunded" | "expires_at" | "needs"> & {
    order: readonly Pick<
      Row["order"][number],
      "id" | "name" | "number" | "thumbnail" | "track_status"
    >[];
  };

export default function OrdersPage() {
  const { t } = useLingui();
  const user = useUser();
  const own = useGuestOrders();
  if (!user && own.length === 0) return <Navigate to="/sign-in?to=/orders" replace />;
  return (
    <>
      <Title text={t`Orders`} />
      <h1>{t`Orders`}</h1>
      {user && <Ordered isAll={own.length === 0} />}
      {own.length > 0 && (
        <WithoutAccount tokens={own.map(({ token }) => token)} isSignedIn={user !== null} />
      )}
      {!user && (
        <p className="notice orders-list">
          <Link to="/sign-in?to=/orders">
            <Trans>Sign in to see your orders</Trans>
          </Link>
        </p>
      )}
    </>
  );
}

/** The account's orders; first those that wait for the buyer. `isAll`: no others follow. */
function Ordered({ isAll }: { isAll: boolean }) {
  const list = useInfiniteQuery({ ...ordersQuery, staleTime: 0 });
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  const [waiting, others] = [rows.filter(isWaiting), rows.filter((row) => !isWaiting(row))];
  return (
    <>
      {list.isError && <Problem error={list.error} again={() => void list.refetch()} />}
      {list.isPending && <Skeleton />}
      {list.isSuccess && rows.length === 0 && isAll && (
        <Empty title={<Trans>No orders yet</Trans>}>
          <Link className="button" to="/">
            <Trans>Browse products</Trans>
          </Link>
        </Empty>
      )}
      {waiting.length > 0 && (
        <section className="orders-list">
          <h2>
            <Trans>Needs your attention</Trans>
          </h2>
          <Rows rows={waiting} />
        </section>
      )}
      {others.length > 0 && (
        <section className="orders-list">
          <h2 className={waiting.length > 0 ? undefined : "hidden"}>
            {waiting.length > 0 ? <Trans>Other orders</Trans> : <Trans>All orders</Trans>}
          </h2>
          <Rows rows={others} />
        </section>
      )}
      <ShowMore of={list} />
    </>
  );
}

/** Whether the order waits for its buyer. A review that is missing does not count. */
function isWaiting({ needs }: Row): boolean {
  return needs.some((need) => need === "pay" || need === "answer" || need === "confirm");
}

/** Orders placed in this browser without an account; each is fetched by its token. */
function WithoutAccount({ tokens, isSignedIn }: { tokens: string[]; isSignedIn: boolean }) {
  return (
    <section className="orders-list">
      <h2>
        <Trans>Orders placed without an account</Trans>
      </h2>
      {isSignedIn && features.phone_login && (
        <p className="quiet">
          <Trans>
            To add them to your account, with their collection codes,{" "}
            <Link to="/account">link the phone that paid</Link>.
          </Trans>
        </p>
      )}
      <ul className="stack">
        {tokens.map((token) => (
          <GuestOrder key={token} token={token} />
        ))}
      </ul>
    </section>
  );
}

function GuestOrder({ token }: { token: string }) {
  const query = useQuery(orderQuery(token));
  const isGone = query.error instanceof ApiError && [401, 404].includes(query.error.status);
  useEffect(() => {
    if (isGone) guestOrders.drop(token);
  }, [isGone, token]);
  if (query.isPending || isGone) return <RowSkeleton />;
  if (!query.data) return <Problem error={query.error} again={() => void query.refetch()} />;
  return <OrderRow order={asRow(query.data)} isOfGuest />;
}

function asRow(order: Order): Shown {
  return { ...order, needs: order.payment_status === "requested" ? ["pay"] : [] };
}

function Rows({ rows }: { rows: Row[] }) {
  return (
    <ul className="stack">
      {rows.map((row) => (
        <OrderRow key={row.order_token} order={row} />
      ))}
    </ul>
  );
}

function OrderRow({ order, isOfGuest = false }: { order: Shown; isOfGuest?: boolean }) {
  const isUnpaid = order.payment_status === "requested";
  const to = `/${isUnpaid || isOfGuest ? "pay" : "orders"}/${order.order_token}`;
  const [first, ...rest] = order.order;
  const placed = day(order.created_at);
  const { reference } = order;
  const more = rest.length;
  return (
    <li className="panel order-row">
      <div className="shown">
        <Picture src={first?.thumbnail ?? null} />
        {more > 0 && (
          <span className="count" aria-hidden="true">
            +{more}
          </span>
        )}
      </div>
      <div className="about">
        <h3>
          <Link to={to}>
            {first && first.number > 1 && `${first.number} × `}
            {first?.name}
            {more > 0 && (
              <>
                {" "}
                <Trans>and {more} more</Trans>
              </>
            )}
          </Link>
        </h3>
        <p className="quiet small">
          <Trans>
            {placed}, order {reference}
          </Trans>
        </p>
        <Statuses order={order} />
        <RefundInShort of={order} />
      </div>
      <Money kes={order.amount} />
      <Need order={order} to={to} />
    </li>
  );
}

/** The statuses of a paid order's lines, each once; otherwise the order's payment status. */
function Statuses({ order }: { order: Shown }) {
  const { i18n } = useLingui();
  if (order.payment_status !== "paid") {
    return (
      <p>
        <span className={order.payment_status === "requested" ? "tag warn" : "tag"}>
          {i18n._(PAYMENT_STATUS[order.payment_status])}
        </span>
      </p>
    );
  }
  const statuses = new Set(order.order.map((line) => line.track_status));
  return (
    <ul className="row tags">
      {[...statuses].map((status) => (
        <li key={status} className={`tag ${toneOf(status)}`}>
          {i18n._(TRACK_STATUS[status])}
        </li>
      ))}
    </ul>
  );
}

/** What the order needs from its buyer now, if anything. */
function Need({ order, to }: { order: Shown; to: string }) {
  const { t } = useLingui();
  const { reference, needs } = order;
  const due = money(order.amount_due);
  const until = clock(order.expires_at);
  if (needs.includes("pay")) {
    return (
      <div className="need">
        <Link className="button little" to={to} aria-label={t`Pay now, order ${reference}`}>
          <Trans>Pay now</Trans>
        </Link>
        <p className="small">
          <Trans>
            {due} by {until}
          </Trans>
        </p>
      </div>
    );
  }
  if (needs.includes("answer")) {
    return (
      <div className="need">
        <Link
          className="button plain little"
          to={to}
          aria-label={t`Read the reply, order ${reference}`}
        >
          <Trans>Read the reply</Trans>
        </Link>
        <p className="small">
          <Trans>There is a reply to the problem you reported.</Trans>
        </p>
      </div>
    );
  }
  if (needs.includes("confirm")) {
    return (
      <div className="need">
        <Link
          className="button plain little"
          to={to}
          aria-label={t`I received it, order ${reference}`}
        >
          <Trans>I received it</Trans>
        </Link>
        <p className="small">
          <Trans>Confirm when you have received it.</Trans>
        </p>
      </div>
    );
  }
  if (needs.includes("review")) {
    return (
      <div className="need">
        <Link to={to} aria-label={t`Write a review, order ${reference}`}>
          <Trans>Write a review</Trans>
        </Link>
      </div>
    );
  }
  return null;
}

function Skeleton() {
  return (
    <ul className="stack orders-list">
      <RowSkeleton />
      <RowSkeleton />
      <RowSkeleton />
    </ul>
  );
}

function RowSkeleton() {
  return <li className="panel skeleton order-skeleton" aria-hidden="true" />;
}
