import { Trans, useLingui } from "@lingui/react/macro";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { Link, useSearchParams } from "react-router";
import type { TrackStatus } from "../api/client";
import { Empty } from "../ui/parts";
import { Pages, Selling } from "./parts";
import { problemsQuery, salesQuery } from "./queries";
import { SaleRow } from "./SaleRow";

const TABS = ["", "created", "delivered", "cancelled", "refunded"] as const;
type Tab = (typeof TABS)[number];

/** At most how many pages are loaded to find the order of a link in an e-mail. */
const PAGES_LOOKED_THROUGH = 5;

/** The seller's sold lines, first those to hand over. `?order=` is the reference of one to highlight. */
export default function SalesPage() {
  const { t } = useLingui();
  const [params] = useSearchParams();
  const tab = TABS.find((each) => each === params.get("status")) ?? "";
  const wanted = params.get("order");
  const list = useInfiniteQuery({
    ...salesQuery((tab || null) as TrackStatus | null),
    staleTime: 0,
    refetchOnWindowFocus: "always",
  });
  const [done, setDone] = useState("");
  // The row that had the focus has left the list.
  const said = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    if (done) said.current?.focus();
  }, [done]);
  const isFound = list.data?.pages.some(({ items }) => items.some((sale) => sale.order === wanted));
  const read = list.data?.pages.length ?? 0;
  const isLooking = wanted !== null && !isFound && list.hasNextPage && read < PAGES_LOOKED_THROUGH;
  const { fetchNextPage, isFetchingNextPage, isError } = list;
  useEffect(() => {
    if (isLooking && !isFetchingNextPage && !isError) void fetchNextPage();
  }, [isLooking, isFetchingNextPage, isError, fetchNextPage]);
  // Shown beside the list; an error of this query is ignored.
  const problems = useInfiniteQuery(problemsQuery);
  const undecided = problems.data?.pages[0]?.items.some(({ state }) => state !== "closed");
  return (
    <Selling name={t`Your sales`}>
      {undecided && (
        <p className="notice warn">
          <Trans>
            A buyer has reported a problem. <Link to="/selling/problems">View and reply</Link>
          </Trans>
        </p>
      )}
      <nav className="which" aria-label={t`Filter orders`}>
        {TABS.map((each) => (
          <Link
            key={each}
            to={addressOf(each, wanted)}
            replace
            aria-current={each === tab ? "page" : undefined}
            onClick={() => setDone("")}
          >
            <TabName tab={each} />
          </Link>
        ))}
      </nav>
      <p role="status" ref={said} tabIndex={-1} className={done ? "notice ok" : "hidden"}>
        {done}
      </p>
      {wanted && !done && list.isSuccess && !isFound && !isLooking && (
        <p className="notice">
          <Trans>Order {wanted} is not in this list. Try the other tabs above.</Trans>
        </p>
      )}
      <Pages
        of={list}
        empty={<Nothing tab={tab} />}
        row={(sale) => (
          <SaleRow
            key={sale.id}
            sale={sale}
            isMarked={sale.order === wanted}
            isFirst={sale === firstOf(list.data?.pages, wanted)}
            done={setDone}
          />
        )}
      />
    </Selling>
  );
}

type Rows = { items: { order: string }[] }[];

/** The first line of the wanted order. */
function firstOf(pages: Rows | undefined, wanted: string | null) {
  return pages?.flatMap(({ items }) => items).find(({ order }) => order === wanted);
}

function addressOf(tab: Tab, wanted: string | null): string {
  const query = new URLSearchParams();
  if (tab) query.set("status", tab);
  if (wanted) query.set("order", wanted);
  return `/selling/orders?${query}`.replace(/\?$/, "");
}

function TabName({ tab }: { tab: Tab }) {
  if (tab === "created") return <Trans>Not paid yet</Trans>;
  if (tab === "delivered") return <Trans>Delivered</Trans>;
  if (tab === "cancelled") return <Trans>Cancelled</Trans>;
  if (tab === "refunded") return <Trans>Refunded</Trans>;
  return <Trans>To hand over</Trans>;
}

function Nothing({ tab }: { tab: Tab }) {
  if (tab) return <Empty title={<Trans>Nothing here</Trans>} />;
  return (
    <Empty title={<Trans>Nothing to hand over</Trans>}>
      <p className="quiet">
        <Trans>Paid orders appear here right away.</Trans>
      </p>
    </Empty>
  );
}
