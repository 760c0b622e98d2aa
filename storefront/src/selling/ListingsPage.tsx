import { Trans, useLingui } from "@lingui/react/macro";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { Icon } from "../ui/Icon";
import { Empty } from "../ui/parts";
import { ListingRow } from "./ListingRow";
import { Pages, Selling } from "./parts";
import { listingsQuery, summaryQuery } from "./queries";

const STATUSES = ["", "on_sale", "low_stock", "sold_out", "unlisted"] as const;
type Status = (typeof STATUSES)[number];
const ORDERS = ["", "available", "best-selling", "price", "-price"] as const;

/** The seller's listings, filtered by the address. */
export default function ListingsPage() {
  const { t } = useLingui();
  const [params, setParams] = useSearchParams();
  const status = STATUSES.find((each) => each === params.get("status")) ?? "";
  const ordering = ORDERS.find((each) => each === params.get("ordering")) ?? "";
  const search = params.get("search")?.trim() ?? "";
  const list = useInfiniteQuery({
    ...listingsQuery({ status, search, ordering }),
    staleTime: 0,
  });
  const summary = useQuery(summaryQuery);
  const [done, setDone] = useState("");
  const said = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    if (done) said.current?.focus();
  }, [done]);
  const narrow = (name: string, value: string) => {
    setDone("");
    setParams(
      (before) => {
        if (value) before.set(name, value);
        else before.delete(name);
        return before;
      },
      { replace: true },
    );
  };
  const stock = summary.data?.stock;
  const counts: Record<Status, number | undefined> = {
    "": stock && stock.listed + stock.unlisted,
    on_sale: stock && stock.listed - stock.sold_out,
    low_stock: stock?.low,
    sold_out: stock?.sold_out,
    unlisted: stock?.unlisted,
  };
  return (
    <Selling
      name={t`Your listings`}
      action={
        <Link className="button" to="/selling/new">
          <Trans>Sell a product</Trans>
        </Link>
      }
    >
      <div className="narrowing">
        <form
          className="find"
          onSubmit={(event) => {
            event.preventDefault();
            const typed = new FormData(event.currentTarget).get("search");
            narrow("search", String(typed ?? "").trim());
          }}
        >
          <input
            key={search}
            className="input"
            type="search"
            name="search"
            maxLength={100}
            defaultValue={search}
            placeholder={t`Search your listings`}
            aria-label={t`Search your listings`}
          />
          <button type="submit" aria-label={t`Search`}>
            <Icon name="search" />
          </button>
        </form>
        <label className="by">
          <span className="hidden">
            <Trans>Sort by</Trans>
          </span>
          <select
            className="input"
            value={ordering}
            onChange={(event) => narrow("ordering", event.target.value)}
          >
            <option value="">{t`Newest`}</option>
            <option value="available">{t`Lowest stock`}</option>
            <option value="best-selling">{t`Best selling`}</option>
            <option value="price">{t`Price: low to high`}</option>
            <option value="-price">{t`Price: high to low`}</option>
          </select>
        </label>
      </div>
      <nav className="which" aria-label={t`Filter listings`}>
        {STATUSES.map((each) => (
          <Link
            key={each}
            to={addressOf(params, each)}
            replace
            aria-current={each === status ? "page" : undefined}
            onClick={() => setDone("")}
          >
            <StatusName status={each} />
            {counts[each] !== undefined && <span className="quiet"> {counts[each]}</span>}
          </Link>
        ))}
      </nav>
      <p role="status" ref={said} tabIndex={-1} className={done ? "notice ok" : "hidden"}>
        {done}
      </p>
      <Pages
        of={list}
        skeletons={3}
        empty={<Nothing isNarrowed={Boolean(status || search)} search={search} />}
        row={(listing) => <ListingRow key={listing.id} listing={listing} said={setDone} />}
      />
    </Selling>
  );
}

function addressOf(params: URLSearchParams, status: Status): string {
  const query = new URLSearchParams(params);
  if (status) query.set("status", status);
  else query.delete("status");
  return `/selling/listings?${query}`.replace(/\?$/, "");
}

function StatusName({ status }: { status: Status }) {
  if (status === "on_sale") return <Trans>On sale</Trans>;
  if (status === "low_stock") return <Trans>Low stock</Trans>;
  if (status === "sold_out") return <Trans>Sold out</Trans>;
  if (status === "unlisted") return <Trans>Not on sale</Trans>;
  return <Trans>All</Trans>;
}

function Nothing({ isNarrowed, search }: { isNarrowed: boolean; search: string }) {
  if (search) {
    return (
      <Empty title={<Trans>No listings match “{search}”</Trans>}>
        <Link className="button plain" to="/selling/listings">
          <Trans>See all listings</Trans>
        </Link>
      </Empty>
    );
  }
  if (isNarrowed) return <Empty title={<Trans>Nothing here</Trans>} />;
  return (
    <Empty title={<Trans>No listings yet</Trans>}>
      <p className="quiet">
        <Trans>Add a picture and a price, and it is on sale.</Trans>
      </p>
      <Link className="button" to="/selling/new">
        <Trans>Sell your first product</Trans>
      </Link>
    </Empty>
  );
}
