import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import { Trans, useLingui } from "@lingui/react/macro";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { Link, Navigate, useNavigate, useParams } from "react-router";
import { useUser } from "../account/useUser";
import { type Order, serverNow } from "../api/client";
import { ApiError, NoAnswer } from "../api/errors";
import { orderQuery } from "../api/queries";
import { NotFound } from "../app/NotFound";
import { Title } from "../app/Title";
import { useCart } from "../cart/useCart";
import { DeliveryDetails, Fee } from "../delivery/DeliveryDetails";
import { clock, minutes, money, phone } from "../i18n/format";
import { isStillGuests, useGuestOrders } from "../orders/guestOrders";
import { RefundRows } from "../orders/Refunds";
import { Icon } from "../ui/Icon";
import { Money, Problem } from "../ui/parts";
import { ByHand } from "./ByHand";
import { CancelOrder } from "./CancelOrder";
import { GuestPaid } from "./GuestPaid";
import { PromptAgain } from "./PromptAgain";
import { pauseOf } from "./polling";
import { type Stage, stageOf, wayOf } from "./prompt";
import { useSecondsLeft } from "./useSecondsLeft";

/** An order, and when it was fetched, in milliseconds by this device's clock. */
type Standing = { order: Order; since: number };

/** The status of an order's payment, polled. A guest's order is shown to whoever has its token. */
export default function PayPage() {
  const { token = "" } = useParams();
  const { t, i18n } = useLingui();
  const client = useQueryClient();
  const user = useUser();
  const opened = useRef(serverNow());
  const query = useQuery({
    ...orderQuery(token),
    refetchInterval: ({ state }) => {
      const rung = Date.parse(state.data?.prompt.rung_at ?? "") || 0;
      return pauseOf(state.data, Math.max(opened.current, rung), serverNow());
    },
    refetchOnWindowFocus: "always",
    refetchOnReconnect: "always",
  });
  const status = query.data?.payment_status;
  useEffect(() => {
    if (!status || status === "requested") return;
    void client.invalidateQueries({ queryKey: ["orders"] });
    void client.invalidateQueries({ queryKey: ["me"] });
  }, [status, client]);

  if (!query.data) {
    const refused = query.error instanceof ApiError ? query.error.status : null;
    if (!user && refused === 401) return <Navigate to={`/sign-in?to=/pay/${token}`} replace />;
    if (refused === 404) return <NotFound title={t`Order not found`} />;
    if (query.isError) return <Problem error={query.error} again={() => void query.refetch()} />;
    return <div className="panel stage skeleton" aria-hidden="true" />;
  }
  const order = query.data;
  const standing = { order, since: query.dataUpdatedAt };
  const stage = stageOf(order);
  const title = i18n._(TITLES[stage]);
  return (
    <div className="pay narrow">
      <Title text={title} />
      {query.error instanceof NoAnswer ? (
        <Unheard since={standing.since} />
      ) : (
        query.isError && <Problem error={query.error} again={() => void query.refetch()} />
      )}
      <section className="panel stage">
        <Signal stage={stage} />
        <div role="status" aria-live="polite">
          <h1>{unbroken(title)}</h1>
          <p className="said">
            <Said order={order} />
          </p>
        </div>
        <Details standing={standing} stage={stage} />
      </section>
      {order.by_hand.length > 0 && (
        <ByHand ways={order.by_hand} isOpen={stage === "failed" && wayOf(order) === "hand"} />
      )}
      {order.delivery && (
        <DeliveryDetails
          delivery={order.delivery}
          isUnderWay={order.payment_status === "requested" || order.payment_status === "paid"}
        />
      )}
      <Lines order={order} />
      {order.payment_status === "requested" && <CancelOrder order={order} />}
    </div>
  );
}

const TITLES: Record<Stage, MessageDescriptor> = {
  calling: msg`Sending the M-Pesa prompt`,
  busy: msg`Your phone is busy`,
  ringing: msg`Enter your M-Pesa PIN`,
  unknown: msg`Check your phone`,
  silent: msg`Waiting for M-Pesa`,
  short: msg`Partly paid`,
  failed: msg`Not paid yet`,
  paid: msg`Paid`,
  cancelled: msg`Cancelled`,
  called_off: msg`Cancelled by the shop`,
  expired: msg`Time ran out`,
  refund_due: msg`Refund on its way`,
  refunded: msg`Refunded`,
};

/** A heading whose "M-Pesa" stays on one line: browsers break it at its hyphen. */
function unbroken(title: string) {
  const [before, after] = title.split("M-Pesa");
  if (after === undefined) return title;
  return (
    <>
      {before}
      <span className="unbroken">M-Pesa</span>
      {after}
    </>
  );
}

/** Stages in which a prompt is open on the phone, or on its way. */
const OPEN: ReadonlySet<Stage> = new Set(["calling", "busy", "ringing", "unknown"]);

type Drawing = { icon: "phone" | "check" | "clock" | "cross" | "back"; tone: string };
const WAITS: Drawing = { icon: "clock", tone: "warn" };
const OVER: Drawing = { icon: "cross", tone: "warn" };
const DONE: Drawing = { icon: "check", tone: "ok" };
const DRAWINGS: Record<Stage, Drawing> = {
  calling: { icon: "phone", tone: "" },
  busy: { icon: "phone", tone: "warn" },
  ringing: { icon: "phone", tone: "ringing" },
  unknown: { icon: "phone", tone: "ringing" },
  silent: WAITS,
  short: WAITS,
  failed: { icon: "cross", tone: "bad" },
  paid: DONE,
  cancelled: OVER,
  called_off: OVER,
  expired: WAITS,
  refund_due: { icon: "back", tone: "warn" },
  refunded: DONE,
};

function Signal({ stage }: { stage: Stage }) {
  const { icon, tone } = DRAWINGS[stage];
  return (
    <div className={`handset ${tone}`}>
      <Icon name={icon} />
    </div>
  );
}

/** Says that the shop cannot be reached since then; the page keeps trying. */
function Unheard({ since }: { since: number }) {
  const heard = clock(since);
  return (
    <p className="notice warn" role="alert">
      <Trans>
        No connection. Last updated at {heard}; we will keep trying. Payments you make on your phone
        still count.
      </Trans>
    </p>
  );
}

function Said({ order }: { order: Order }) {
  const came = money(order.amount - order.amount_due);
  const due = money(order.amount_due);
  if (stageOf(order) === "short") {
    return (
      <Trans>
        We received {came}. Pay the remaining {due} before time runs out.
      </Trans>
    );
  }
  return <>{order.prompt.text}</>;
}

function Details({ standing, stage }: { standing: Standing; stage: Stage }) {
  const { order } = standing;
  const kept = useGuestOrders().find((each) => each.token === order.order_token);
  const user = useUser();
  if (stage === "paid") {
    if (!user || isStillGuests(order)) {
      return <GuestPaid token={order.order_token} phone={kept?.phone} />;
    }
    return (
      <div className="actions">
        <Link className="button" to={`/orders/${order.order_token}`}>
          <Trans>View order</Trans>
        </Link>
        <Link to="/">
          <Trans>Continue shopping</Trans>
        </Link>
      </div>
    );
  }
  if (stage === "cancelled" || stage === "called_off" || stage === "expired") {
    return (
      <div className="actions">
        {stage === "expired" && (
          <p className="quiet small">
            <Trans>
              Did you pay at the last minute? Stay on this page: we are still checking for your
              payment.
            </Trans>
          </p>
        )}
        <OrderAnew order={order} />
      </div>
    );
  }
  if (stage === "refund_due" || stage === "refunded") {
    const number = phone(kept?.phone ?? order.mpesa_number);
    return (
      <p className="quiet">
        {stage === "refund_due" ? (
          <Trans>
            We refund the phone that paid, usually within minutes. {number} will get an SMS.
          </Trans>
        ) : (
          <Trans>M-Pesa has sent you an SMS about it.</Trans>
        )}
      </p>
    );
  }
  return (
    <Unpaid
      standing={standing}
      stage={stage}
      number={phone(kept?.phone ?? order.mpesa_number)}
      isOfGuest={!user || !/^\d+$/.test(order.mpesa_number)}
    />
  );
}

function Unpaid({
  standing: { order, since },
  stage,
  number,
  isOfGuest,
}: {
  standing: Standing;
  stage: Stage;
  number: string;
  isOfGuest: boolean;
}) {
  const { expires_in: showsFor, ring_again_in: againIn } = order.prompt;
  const shown = useSecondsLeft(showsFor, since);
  const wait = useSecondsLeft(againIn, since);
  const held = useSecondsLeft(order.expires_in, since);
  const until = clock(order.expires_at);
  const left = minutes(held);
  const seconds = Math.ceil(shown);
  const isOpen = OPEN.has(stage);
  return (
    <>
      <p>
        <span className="money sum-due">{money(order.amount_due)}</span>
      </p>
      {isOpen && <p className="quiet">{number}</p>}
      {isOpen && shown > 0 && (
        <>
          <div className="timer" aria-hidden="true">
            <div style={{ transform: `scaleX(${Math.min(1, shown / PROMPT_SECONDS)})` }} />
          </div>
          <p className="quiet small">
            <Trans>The M-Pesa prompt stays on your phone for {seconds} s.</Trans>
          </p>
        </>
      )}
      {againIn !== null && (!isOpen || wait === 0) && (
        <PromptAgain
          order={order}
          number={number}
          wait={wait}
          isQuiet={isOpen || stage === "silent"}
          isOfGuest={isOfGuest}
        />
      )}
      <p className="quiet small">
        <Trans>
          Your items are reserved until {until} ({left}).
        </Trans>
      </p>
    </>
  );
}

/** How long a phone may show a prompt, in seconds (payments/checkout/timing.py). */
const PROMPT_SECONDS = 120;

/** The button that puts the order's goods into the cart again; it shows their current prices. */
function OrderAnew({ order }: { order: Order }) {
  const navigate = useNavigate();
  const { add } = useCart();
  const putBack = () => {
    for (const { product, name, price, number } of order.order) {
      add({ id: product, name, price, thumbnail: null }, number);
    }
    navigate("/cart");
  };
  return (
    <button type="button" className="button" onClick={putBack}>
      <Trans>Add to cart again</Trans>
    </button>
  );
}

function Lines({ order }: { order: Order }) {
  return (
    <section className="panel">
      <div className="between">
        <h2>
          <Trans>Your order</Trans>
        </h2>
        <span className="quiet" translate="no">
          {order.reference}
        </span>
      </div>
      <ul className="stack">
        {order.order.map((line) => (
          <li className="between" key={line.id}>
            <Link to={`/product/${line.product}`}>
              {line.number} × {line.name}
            </Link>
            <Money kes={line.amount} />
          </li>
        ))}
        {order.delivery && (
          <li className="between">
            <Trans>Delivery</Trans>
            <Fee kes={order.delivery_fee} />
          </li>
        )}
        <li className="between last">
          <Trans>Total</Trans>
          <Money kes={order.amount} />
        </li>
      </ul>
      <RefundRows of={order} />
    </section>
  );
}
