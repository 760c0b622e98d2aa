import { Trans, useLingui } from "@lingui/react/macro";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import type { Track } from "../api/client";
import { tracksQuery } from "../api/queries";
import { Title } from "../app/Title";
import { day } from "../i18n/format";
import { Picture } from "../ui/Picture";
import { Empty, Money, Problem } from "../ui/parts";
import { PAYMENT_STATUS, TRACK_STATUS, toneOf } from "./status";

export default function OrdersPage() {
  const { t } = useLingui();
  const list = useInfiniteQuery({ ...tracksQuery, staleTime: 0 });
  const orders = byOrder(list.data?.pages.flatMap((page) => page.items) ?? []);
  return (
    <>
      <Title text={t`Orders`} />
      <h1>{t`Orders`}</h1>
      {list.isError && <Problem error={list.error} again={() => void list.refetch()} />}
      {list.isPending && <div className="panel order bone" aria-hidden="true" />}
      {list.isSuccess && orders.length === 0 && (
        <Empty title={<Trans>You have not ordered anything yet</Trans>}>
          <Link className="button" to="/">
            <Trans>Look around</Trans>
          </Link>
        </Empty>
      )}
      <ul className="stack orders">
        {orders.map((lines) => (
          <li key={lines[0].order_token}>
            <Summary lines={lines} />
          </li>
        ))}
      </ul>
      {list.hasNextPage && (
        <div className="more">
          <button
            type="button"
            className="button plain"
            disabled={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            <Trans>Show more</Trans>
          </button>
        </div>
      )}
    </>
  );
}

type Lines = [Track, ...Track[]];

/** The rows of each order together, in the order they came: newest first. */
export function byOrder(tracks: readonly Track[]): Lines[] {
  const orders = new Map<string, Lines>();
  for (const track of tracks) {
    const lines = orders.get(track.order_token);
    if (lines) lines.push(track);
    else orders.set(track.order_token, [track]);
  }
  return [...orders.values()];
}

function Summary({ lines }: { lines: Lines }) {
  const { i18n } = useLingui();
  const [first] = lines;
  const isUnpaid = first.payment_status === "requested";
  const placed = day(first.created_at);
  const to = `/${isUnpaid ? "pay" : "orders"}/${first.order_token}`;
  return (
    <article className="panel order">
      <header className="between">
        <h2 className="quiet small">
          <Link to={to}>
            <Trans>Order of {placed}</Trans>
          </Link>
        </h2>
        <span className={isUnpaid ? "tag warn" : "tag"}>
          {i18n._(PAYMENT_STATUS[first.payment_status])}
        </span>
      </header>
      <ul>
        {lines.map((line) => (
          <li key={line.id}>
            <Picture src={line.avatar} />
            <span>
              {line.number} × {line.name}
              <br />
              <span className={`tag ${toneOf(line.track_status)}`}>
                {i18n._(TRACK_STATUS[line.track_status])}
              </span>
            </span>
            <Money kes={line.amount} />
          </li>
        ))}
      </ul>
      <footer>
        <Link to={to}>
          {isUnpaid ? <Trans>Pay now</Trans> : <Trans>See the whole order</Trans>}
          <span className="hidden"> ({first.name})</span>
        </Link>
      </footer>
    </article>
  );
}
