/** What the seller's pages share. */

import "./selling.css";
import { Trans, useLingui } from "@lingui/react/macro";
import type { ReactNode } from "react";
import { NavLink } from "react-router";
import { Title } from "../app/Title";
import { Problem } from "../ui/parts";

/** A page's name, and the way to the seller's others. */
export function SellingTop({ name }: { name: string }) {
  const { t } = useLingui();
  return (
    <>
      <Title text={name} />
      <h1>{name}</h1>
      <nav className="tabs" aria-label={t`Selling`}>
        <NavLink to="/selling/orders">
          <Trans>Orders</Trans>
        </NavLink>
        <NavLink to="/selling/problems">
          <Trans>Problems</Trans>
        </NavLink>
        <NavLink to="/selling/money">
          <Trans>Money</Trans>
        </NavLink>
      </nav>
    </>
  );
}

type List<T> = {
  data: { pages: { items: T[] }[] } | undefined;
  error: Error | null;
  isError: boolean;
  isPending: boolean;
  isSuccess: boolean;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  refetch: () => unknown;
  fetchNextPage: () => unknown;
};

/** A list in pages: loading, broken, empty, and its rows with "Show more". */
export function Pages<T extends { id: number }>({
  of: list,
  empty,
  row,
}: {
  of: List<T>;
  empty: ReactNode;
  row: (item: T) => ReactNode;
}) {
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      {list.isError && <Problem error={list.error} again={() => void list.refetch()} />}
      {list.isPending && <div className="panel sale bone" aria-hidden="true" />}
      {list.isSuccess && items.length === 0 && empty}
      {items.length > 0 && <ul className="stack rows">{items.map(row)}</ul>}
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
