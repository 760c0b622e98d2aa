import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link, Navigate } from "react-router";
import { useUser } from "../account/useUser";
import type { Schemas } from "../api/client";
import { phone } from "../i18n/format";
import { Icon } from "../ui/Icon";
import { Money, Problem, Stars } from "../ui/parts";
import { Selling } from "./parts";
import { summaryQuery } from "./queries";
import { ShareButton } from "./ShareButton";

type Summary = Schemas["SummaryOutput"];

/** The seller's start page: what needs attention, recent sales, the balance. */
export default function SummaryPage() {
  const { t } = useLingui();
  const query = useQuery({ ...summaryQuery, staleTime: 0, refetchOnWindowFocus: "always" });
  const summary = query.data;
  // A seller without any listing is sent to create one.
  if (summary && summary.stock.listed + summary.stock.unlisted === 0) {
    return <Navigate to="/selling/new" replace />;
  }
  return (
    <Selling
      name={t`Today`}
      action={
        <Link className="button" to="/selling/new">
          <Trans>Sell a product</Trans>
        </Link>
      }
    >
      {query.isError && <Problem error={query.error} again={() => void query.refetch()} />}
      {query.isPending && <Skeleton />}
      {summary && (
        <>
          <Needs summary={summary} />
          <Sold sales={summary.sales} />
          <MoneyOf summary={summary} />
          <Goods summary={summary} />
        </>
      )}
    </Selling>
  );
}

function Skeleton() {
  return (
    <div className="stack" aria-hidden="true">
      <div className="panel skeleton tall" />
      <div className="panel skeleton tall" />
      <div className="panel skeleton tall" />
    </div>
  );
}

/** Links to what needs the seller's attention, most urgent first. */
function Needs({ summary }: { summary: Summary }) {
  const { to_hand_over, to_answer, stock } = summary;
  const all: [key: string, number: number, to: string, words: ReactNode][] = [
    [
      "payouts",
      to_answer.refused_payouts,
      "/selling/money",
      <Plural
        key="p"
        value={to_answer.refused_payouts}
        one="payout failed: enter another number"
        other="payouts failed: enter another number"
      />,
    ],
    [
      "problems",
      to_answer.problems,
      "/selling/problems",
      <Plural
        key="q"
        value={to_answer.problems}
        one="buyer has a problem"
        other="buyers have a problem"
      />,
    ],
    [
      "orders",
      to_hand_over.waiting,
      "/selling/orders",
      <Plural
        key="o"
        value={to_hand_over.waiting}
        one="paid order to prepare"
        other="paid orders to prepare"
      />,
    ],
    [
      "out",
      stock.sold_out,
      "/selling/listings?status=sold_out",
      <Plural key="s" value={stock.sold_out} one="product sold out" other="products sold out" />,
    ],
    [
      "low",
      stock.low,
      "/selling/listings?status=low_stock&ordering=available",
      <Plural key="l" value={stock.low} one="product low in stock" other="products low in stock" />,
    ],
    [
      "reviews",
      to_answer.reviews,
      "/selling/reviews?answered=false",
      <Plural
        key="r"
        value={to_answer.reviews}
        one="review to reply to"
        other="reviews to reply to"
      />,
    ],
  ];
  const waiting = all.filter(([, number]) => number > 0);
  if (waiting.length === 0) {
    return (
      <p className="notice ok row">
        <Icon name="check" />
        <Trans>You are all caught up.</Trans>
      </p>
    );
  }
  return (
    <section className="panel needs">
      <h2>
        <Trans>To do</Trans>
      </h2>
      <ul>
        {waiting.map(([key, number, to, words]) => (
          <li key={key} className={key === "payouts" || key === "problems" ? "urgent" : ""}>
            <Link to={to}>
              <strong>{number}</strong> <span>{words}</span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Sold({ sales }: { sales: Summary["sales"] }) {
  const { t } = useLingui();
  const periods: [string, Summary["sales"]["today"]][] = [
    [t`Sold today`, sales.today],
    [t`Last 7 days`, sales.days_7],
    [t`Last 30 days`, sales.days_30],
  ];
  return (
    <dl className="panel figures">
      {periods.map(([name, sold]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <Money kes={sold.amount} />
            <span className="quiet small">
              <Plural value={sold.orders} one="# order" other="# orders" />
              {" · "}
              <Plural value={sold.goods} one="# item" other="# items" />
            </span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function MoneyOf({ summary: { balance, next_payout: next } }: { summary: Summary }) {
  const to = next ? phone(next.mpesa_number) : "";
  const isDebt = balance.owed < 0;
  return (
    <section className="panel stack">
      <div className="between">
        <h2>
          <Trans>Your money</Trans>
        </h2>
        <Link to="/selling/money">
          <Trans>View statement</Trans>
        </Link>
      </div>
      <dl className="facts">
        <div>
          <dt>{isDebt ? <Trans>You owe the shop</Trans> : <Trans>The shop owes you</Trans>}</dt>
          <dd className="sum">
            <Money kes={Math.abs(balance.owed)} />
          </dd>
        </div>
        {balance.held > 0 && (
          <div>
            <dt>
              <Trans>On hold for problems</Trans>
            </dt>
            <dd>
              <Money kes={balance.held} />
            </dd>
          </div>
        )}
        {next && (
          <div>
            <dt>
              {next.status === "on_its_way" ? (
                <Trans>On its way to {to}</Trans>
              ) : (
                <Trans>Next payout to {to}</Trans>
              )}
            </dt>
            <dd>
              <Money kes={next.amount} />
            </dd>
          </div>
        )}
      </dl>
    </section>
  );
}

function Goods({ summary: { stock, rating } }: { summary: Summary }) {
  const { t } = useLingui();
  const username = useUser()?.username ?? "";
  const path = `/seller/${encodeURIComponent(username)}`;
  return (
    <section className="panel stack">
      <div className="between">
        <h2>
          <Trans>Your shop</Trans>
        </h2>
        <Stars stars={rating.stars} reviews={rating.reviews} />
      </div>
      <p className="stock-line">
        <span>
          <Plural value={stock.listed} one="# product on sale" other="# products on sale" />
        </span>
        {stock.unlisted > 0 && (
          <span>
            <Plural value={stock.unlisted} one="# removed" other="# removed" />
          </span>
        )}
      </p>
      <p className="row">
        <ShareButton path={path} title={t`${username}'s shop on O-Mache`} />
        <Link className="button plain little" to={path}>
          <Trans>View as a buyer</Trans>
        </Link>
      </p>
    </section>
  );
}
