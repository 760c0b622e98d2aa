/** Components shared by the seller's pages. */

import "./selling.css";
import { Trans, useLingui } from "@lingui/react/macro";
import { type ReactNode, useEffect, useRef } from "react";
import { NavLink } from "react-router";
import { Title } from "../app/Title";
import { Problem } from "../ui/parts";
import { ShowMore } from "../ui/ShowMore";
import { useOnline } from "./useOnline";

/** The frame of a seller's page: its heading, an action, and links to the other pages. */
export function Selling({
  name,
  action,
  children,
}: {
  name: string;
  action?: ReactNode;
  children: ReactNode;
}) {
  const { t } = useLingui();
  const strip = useRef<HTMLElement>(null);
  // On a narrow screen the links scroll: show the current page's.
  useEffect(() => {
    const here = strip.current?.querySelector<HTMLElement>("[aria-current]");
    if (strip.current && here) strip.current.scrollLeft = here.offsetLeft - 24;
  }, []);
  return (
    <div className="selling">
      <Title text={name} />
      <nav className="tabs" aria-label={t`Selling`} ref={strip}>
        <NavLink to="/selling" end>
          <Trans>Today</Trans>
        </NavLink>
        <NavLink to="/selling/orders">
          <Trans>Orders</Trans>
        </NavLink>
        <NavLink to="/selling/listings">
          <Trans>Your listings</Trans>
        </NavLink>
        <NavLink to="/selling/problems">
          <Trans>Problems</Trans>
        </NavLink>
        <NavLink to="/selling/reviews">
          <Trans>Reviews</Trans>
        </NavLink>
        <NavLink to="/selling/money">
          <Trans>Money</Trans>
        </NavLink>
        <NavLink to="/selling/sheets">
          <Trans>Spreadsheets</Trans>
        </NavLink>
      </nav>
      <div className="selling-page stack">
        <header className="selling-head">
          <h1>{name}</h1>
          {action}
        </header>
        {children}
      </div>
    </div>
  );
}

/** Says that a form cannot be sent without a network; what was typed stays in it. */
export function Offline() {
  if (useOnline()) return null;
  return (
    <p className="notice warn" role="status">
      <Trans>You are offline. What you typed is kept here until you can send it.</Trans>
    </p>
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

/** A paged list: placeholders, an error, or its rows and "Show more". */
export function Pages<T extends { id: number }>({
  of: list,
  skeletons = 1,
  empty,
  row,
}: {
  of: List<T>;
  /** The number of placeholders while it is loading. */
  skeletons?: number;
  empty: ReactNode;
  row: (item: T) => ReactNode;
}) {
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      {list.isError && <Problem error={list.error} again={() => void list.refetch()} />}
      {list.isPending &&
        Array.from({ length: skeletons }, (_, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
          <div className="panel sale skeleton" aria-hidden="true" key={at} />
        ))}
      {list.isSuccess && items.length === 0 && empty}
      {items.length > 0 && <ul className="stack rows">{items.map(row)}</ul>}
      <ShowMore of={list} />
    </>
  );
}
