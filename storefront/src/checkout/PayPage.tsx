import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import { Trans, useLingui } from "@lingui/react/macro";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { type Order, serverNow } from "../api/client";
import { ApiError } from "../api/errors";
import { orderQuery } from "../api/queries";
import { Missing } from "../app/Missing";
import { Title } from "../app/Title";
import { useCart } from "../cart/useCart";
import { clock, minutes, money, phone } from "../i18n/format";
import { Icon } from "../ui/Icon";
import { Money, Problem, useSecondsUntil } from "../ui/parts";
import { ByHand } from "./ByHand";
import { GiveUp } from "./GiveUp";
import { pauseOf } from "./polling";
import { type Stage, stageOf } from "./prompt";
import { RingAgain } from "./RingAgain";
import { A_PROMPT, promptEnds } from "./rung";

/** The payment as it happens. */
export default function PayPage() {
  const { token = "" } = useParams();
  const { t, i18n } = useLingui();
  const client = useQueryClient();
  const opened = useRef(serverNow());
  const query = useQuery({
    ...orderQuery(token),
    refetchInterval: ({ state }) => {
      const rung = (promptEnds(token) ?? 0) - A_PROMPT;
      return pauseOf(state.data, Math.max(opened.current, rung), serverNow());
    },
    refetchOnWindowFocus: "always",
    refetchOnReconnect: "always",
  });
  const status = query.data?.payment_status;
  useEffect(() => {
    if (status && status !== "requested") void client.invalidateQueries({ queryKey: ["tracks"] });
  }, [status, client]);

  if (!query.data) {
    if (query.error instanceof ApiError && query.error.status === 404) {
      return <Missing title={t`There is no such order`} />;
    }
    if (query.isError) return <Problem error={query.error} again={() => void query.refetch()} />;
    return <div className="panel stage bone" aria-hidden="true" />;
  }
  const order = query.data;
  const stage = stageOf(order);
  const title = i18n._(TITLES[stage]);
  return (
    <div className="pay narrow">
      <Title text={title} />
      {query.isError && <Problem error={query.error} again={() => void query.refetch()} />}
      <section className="panel stage">
        <Signal stage={stage} />
        <div role="status" aria-live="polite">
          <h1>{title}</h1>
          <p className="said">
            <Said order={order} />
          </p>
        </div>
        <Details order={order} stage={stage} />
      </section>
      {order.by_hand.length > 0 && <ByHand ways={order.by_hand} />}
      <Lines order={order} />
      {order.payment_status === "requested" && <GiveUp order={order} />}
    </div>
  );
}

const TITLES: Record<Stage, MessageDescriptor> = {
  ringing: msg`Your phone is asking`,
  silent: msg`Waiting for M-Pesa`,
  short: msg`Part of it has come`,
  failed: msg`Not paid yet`,
  paid: msg`Paid`,
  cancelled: msg`Given up`,
  expired: msg`The time is over`,
  refund_due: msg`Your money comes back`,
  refunded: msg`Your money is back`,
};

function Signal({ stage }: { stage: Stage }) {
  if (stage === "ringing") {
    return (
      <div className="handset ringing">
        <Icon name="phone" />
      </div>
    );
  }
  if (stage === "paid" || stage === "refunded") {
    return (
      <div className="handset ok">
        <Icon name="check" />
      </div>
    );
  }
  const tone = stage === "failed" ? "bad" : "warn";
  const icon =
    stage === "refund_due"
      ? "back"
      : stage === "failed" || stage === "cancelled"
        ? "cross"
        : "clock";
  return (
    <div className={`handset ${tone}`}>
      <Icon name={icon} />
    </div>
  );
}

function Said({ order }: { order: Order }) {
  const came = money(order.amount - order.amount_due);
  const due = money(order.amount_due);
  if (stageOf(order) === "short") {
    return (
      <Trans>
        {came} came. Pay the missing {due} before the time is over.
      </Trans>
    );
  }
  return <>{order.prompt.text}</>;
}

function Details({ order, stage }: { order: Order; stage: Stage }) {
  if (stage === "paid") {
    return (
      <div className="actions">
        <Link className="button" to={`/orders/${order.order_token}`}>
          <Trans>See your order</Trans>
        </Link>
        <Link to="/">
          <Trans>Look around further</Trans>
        </Link>
      </div>
    );
  }
  if (stage === "cancelled" || stage === "expired") {
    return (
      <div className="actions">
        {stage === "expired" && (
          <p className="quiet small">
            <Trans>
              Did you pay at the last moment? Stay here: we keep looking for your money.
            </Trans>
          </p>
        )}
        <OrderAnew order={order} />
      </div>
    );
  }
  if (stage === "refund_due" || stage === "refunded") {
    const number = phone(order.mpesa_number);
    return (
      <p className="quiet">
        {stage === "refund_due" ? (
          <Trans>
            It goes to the phone that paid, mostly within minutes. {number} gets a message.
          </Trans>
        ) : (
          <Trans>M-Pesa has sent you a message about it.</Trans>
        )}
      </p>
    );
  }
  return <Unpaid order={order} stage={stage} />;
}

function Unpaid({ order, stage }: { order: Order; stage: Stage }) {
  const ends = promptEnds(order.order_token);
  const shown = useSecondsUntil(stage === "ringing" ? ends : null);
  const held = useSecondsUntil(Date.parse(order.expires_at));
  const number = phone(order.mpesa_number);
  const until = clock(order.expires_at);
  const left = minutes(held);
  const seconds = Math.ceil(shown);
  return (
    <>
      <p>
        <span className="money sum-due">{money(order.amount_due)}</span>
      </p>
      {stage === "ringing" && (
        <>
          <p className="quiet">{number}</p>
          {ends !== null && shown > 0 && (
            <>
              <div className="timer" aria-hidden="true">
                <div style={{ transform: `scaleX(${shown / (A_PROMPT / 1000)})` }} />
              </div>
              <p className="quiet small">
                <Trans>The prompt stays on your phone for {seconds} s more.</Trans>
              </p>
            </>
          )}
        </>
      )}
      {(stage !== "ringing" || shown === 0) && (
        <RingAgain order={order} isQuiet={stage === "ringing" || stage === "silent"} />
      )}
      <p className="quiet small">
        <Trans>
          The goods are held for you until {until} ({left}).
        </Trans>
      </p>
    </>
  );
}

/** What was ordered goes into the cart again; the cart shows what it costs today. */
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
      <Trans>Put it back into the cart</Trans>
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
        <span className="quiet">{order.reference}</span>
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
        <li className="between last">
          <Trans>Together</Trans>
          <Money kes={order.amount} />
        </li>
      </ul>
    </section>
  );
}
