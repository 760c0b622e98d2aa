import { Trans, useLingui } from "@lingui/react/macro";
import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { dataOf, type Schemas, userApi } from "../api/client";
import { dayAndClock, money } from "../i18n/format";
import { Empty, Money, Problem } from "../ui/parts";
import { saveFile } from "../ui/saveFile";
import { MOVEMENT } from "./labels";
import { PayoutRow } from "./PayoutRow";
import { Pages, Selling } from "./parts";
import { balanceQuery, type Movement, payoutsQuery, statementQuery } from "./queries";

/** The seller's balance, payouts and statement. */
export default function MoneyPage() {
  const { t } = useLingui();
  const balance = useQuery({ ...balanceQuery, staleTime: 0 });
  const payouts = useInfiniteQuery({ ...payoutsQuery, staleTime: 0 });
  const statement = useInfiniteQuery({ ...statementQuery, staleTime: 0 });
  return (
    <Selling name={t`Your money`}>
      {balance.isError && <Problem error={balance.error} again={() => void balance.refetch()} />}
      {balance.isPending && <div className="panel sale skeleton" aria-hidden="true" />}
      {balance.data && <Balance of={balance.data} />}
      <h2>
        <Trans>Payouts</Trans>
      </h2>
      <Pages
        of={payouts}
        empty={
          <p className="quiet">
            <Trans>No payouts yet. We pay you once your items are collected.</Trans>
          </p>
        }
        row={(payout) => <PayoutRow key={payout.id} payout={payout} />}
      />
      <div className="between">
        <h2>
          <Trans>Statement</Trans>
        </h2>
        <AsFile />
      </div>
      <Pages
        of={statement}
        empty={<Empty title={<Trans>No earnings yet</Trans>} />}
        row={(movement) => <MovementRow key={movement.id} movement={movement} />}
      />
    </Selling>
  );
}

function Balance({ of: balance }: { of: Schemas["BalanceOutput"] }) {
  const isDebt = balance.owed < 0;
  return (
    <section className="panel stack">
      <dl className="facts">
        <div>
          <dt>{isDebt ? <Trans>You owe the shop</Trans> : <Trans>The shop owes you</Trans>}</dt>
          <dd className="sum">
            <Money kes={Math.abs(balance.owed)} />
          </dd>
        </div>
        <div>
          <dt>
            <Trans>On its way to you</Trans>
          </dt>
          <dd>
            <Money kes={balance.on_its_way} />
          </dd>
        </div>
        <div>
          <dt>
            <Trans>Waiting</Trans>
          </dt>
          <dd>
            <Money kes={balance.waiting} />
          </dd>
        </div>
        <div>
          <dt>
            <Trans>On hold for problems</Trans>
          </dt>
          <dd>
            <Money kes={balance.held} />
          </dd>
        </div>
      </dl>
      {isDebt && (
        <p className="small">
          <Trans>We will deduct it from your next sales.</Trans>
        </p>
      )}
      {balance.waiting > 0 && (
        <p className="quiet small">
          <Trans>
            Waiting payouts are below the minimum, under review, or need another number.
          </Trans>
        </p>
      )}
      {balance.held > 0 && (
        <p className="notice warn">
          <Trans>
            Money on hold is paid out once the problem is solved.{" "}
            <Link to="/selling/problems">View and reply</Link>
          </Trans>
        </p>
      )}
    </section>
  );
}

function MovementRow({ movement }: { movement: Movement }) {
  const { i18n } = useLingui();
  const { order, product, number } = movement;
  const left = money(movement.balance);
  return (
    <li className="between movement">
      <span>
        {i18n._(MOVEMENT[movement.kind])}
        {product && <>: {product}</>}
        <br />
        <span className="quiet small">
          {dayAndClock(movement.at)}
          {order && (
            <>
              {" · "}
              <Trans>order {order}</Trans>
            </>
          )}
          {number && <> · {number}</>}
        </span>
      </span>
      <span className="amounts">
        <Money kes={movement.amount} />
        <br />
        <span className="quiet small">
          <Trans>balance: {left}</Trans>
        </span>
      </span>
    </li>
  );
}

/** Downloads the whole statement as CSV. It needs the access token, so it cannot be a plain link. */
function AsFile() {
  const save = useMutation({
    mutationFn: () =>
      dataOf<unknown>(userApi.GET("/seller/statement/export/", { parseAs: "blob" })),
    onSuccess: (file) => saveFile("statement.csv", file as Blob),
  });
  return (
    <span>
      <button
        type="button"
        className="as-link"
        disabled={save.isPending}
        onClick={() => save.mutate()}
      >
        <Trans>Save as CSV</Trans>
      </button>
      {save.error && <Problem error={save.error} />}
    </span>
  );
}
