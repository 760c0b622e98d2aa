import "./delivering.css";
import { Trans, useLingui } from "@lingui/react/macro";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { ApiError } from "../api/errors";
import { Title } from "../app/Title";
import { countiesQuery } from "../delivery/queries";
import { clock } from "../i18n/format";
import { Empty, Problem } from "../ui/parts";
import { ShowMore } from "../ui/ShowMore";
import { DONE } from "./labels";
import { ParcelCard } from "./ParcelCard";
import {
  type Action,
  type County,
  doneQuery,
  mineQuery,
  othersQuery,
  type Parcel,
} from "./queries";

/** The tabs, the most urgent one first. */
const PARTS = ["bring", "fetch", "point", "take", "done"] as const;
type Part = (typeof PARTS)[number];

/** Parcels of delivery agents, and of the agents of pick-up points. */
export default function DeliveringPage() {
  const { t, i18n } = useLingui();
  const [params, setParams] = useSearchParams();
  const county = (params.get("county") as County | null) || null;
  const own = useQuery({ ...mineQuery, refetchOnWindowFocus: "always", refetchInterval: 60_000 });
  const others = useInfiniteQuery({
    ...othersQuery(county),
    staleTime: 0,
    refetchOnWindowFocus: "always",
    refetchInterval: 60_000,
  });
  const free = others.data?.pages.flatMap(({ items }) => items);
  const parcels: Record<Exclude<Part, "done">, Parcel[]> = {
    bring: (own.data ?? []).filter(({ status }) => status !== "to_fetch" && status !== "arrived"),
    fetch: (own.data ?? []).filter(({ status }) => status === "to_fetch"),
    point: (free ?? []).concat(own.data ?? []).filter(isAtPoint),
    take: (free ?? []).filter(({ actions }) => actions.includes("claim")),
  };
  const isRead = own.data !== undefined && free !== undefined;
  const wanted = PARTS.find((each) => each === params.get("part"));
  const part =
    wanted ?? PARTS.find((each) => each !== "done" && parcels[each].length > 0) ?? "take";
  // Agents of a pick-up point may deliver nothing, and most delivery agents have no point.
  const hasPoint = parcels.point.length > 0;
  const brings = !hasPoint || parcels.bring.length + parcels.fetch.length + parcels.take.length > 0;
  const shown = PARTS.filter(
    (each) => each === part || each === "done" || (each === "point" ? hasPoint : brings),
  );
  const [done, setDone] = useState<{ order: string; action: Action } | null>(null);
  // The card that had the focus may be gone.
  const said = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    if (done) said.current?.focus();
  }, [done]);
  const error = own.error ?? others.error;
  if (error instanceof ApiError && error.code === "not_an_agent") return <NotYours />;
  const change = (changed: Record<string, string>) => {
    setDone(null);
    setParams({ ...Object.fromEntries(params), ...changed }, { replace: true });
  };
  const order = done?.order;
  const readAt = own.isError && own.data ? clock(own.dataUpdatedAt) : "";
  return (
    <div className="delivering">
      <Title text={t`Deliveries`} />
      <h1>
        <Trans>Deliveries</Trans>
      </h1>
      <nav className="parts" aria-label={t`Filter parcels`}>
        {shown.map((each) => (
          <button
            key={each}
            type="button"
            aria-current={each === part ? "page" : undefined}
            onClick={() => change({ part: each })}
          >
            {each !== "done" && isRead && (
              <strong>
                {parcels[each].length}
                {each === "take" && others.hasNextPage && "+"}
              </strong>
            )}
            <PartName part={each} />
          </button>
        ))}
      </nav>
      <p role="status" ref={said} tabIndex={-1} className={done ? "notice ok" : "hidden"}>
        {done && (
          <>
            <strong>{order}</strong> {i18n._(DONE[done.action])}
          </>
        )}
      </p>
      {error && (
        <Problem
          error={error}
          again={() => {
            void own.refetch();
            void others.refetch();
          }}
        />
      )}
      {readAt && (
        <p className="quiet small">
          <Trans>Last updated at {readAt}.</Trans>
        </p>
      )}
      {part === "take" && <CountyFilter county={county} change={(to) => change({ county: to })} />}
      {part === "done" ? (
        <Done />
      ) : (
        <>
          {!isRead && !error && <Skeleton />}
          {isRead && parcels[part].length === 0 && <Nothing part={part} />}
          <ul className="stack">
            {parcels[part].map((parcel) => (
              <ParcelCard
                key={parcel.id}
                parcel={parcel}
                done={(now, action) => setDone({ order: now.order, action })}
              />
            ))}
          </ul>
        </>
      )}
      {(part === "take" || part === "point") && <ShowMore of={others} />}
    </div>
  );
}

/** Whether a parcel is for the agent of its pick-up point: to be received there, or waiting. */
function isAtPoint({ actions, deliver, mine }: Parcel): boolean {
  if (deliver.way !== "pickup") return false;
  return actions.includes("arrived") || (actions.includes("delivered") && !mine);
}

function PartName({ part }: { part: Part }) {
  if (part === "bring") return <Trans>With me</Trans>;
  if (part === "fetch") return <Trans>To collect</Trans>;
  if (part === "point") return <Trans>My point</Trans>;
  if (part === "take") return <Trans>Available</Trans>;
  return <Trans>Done</Trans>;
}

function Skeleton() {
  return (
    <div className="stack" aria-hidden="true">
      <div className="panel skeleton parcel" />
      <div className="panel skeleton parcel" />
    </div>
  );
}

function Nothing({ part }: { part: Exclude<Part, "done"> }) {
  if (part === "bring") {
    return (
      <Empty title={<Trans>Nothing to hand over</Trans>}>
        <p className="quiet">
          <Trans>Parcels you have collected appear here.</Trans>
        </p>
      </Empty>
    );
  }
  if (part === "fetch") {
    return (
      <Empty title={<Trans>Nothing to collect</Trans>}>
        <p className="quiet">
          <Trans>Take parcels under “Available”.</Trans>
        </p>
      </Empty>
    );
  }
  if (part === "point") {
    return (
      <Empty title={<Trans>Nothing at your pick-up point</Trans>}>
        <p className="quiet">
          <Trans>Parcels for your pick-up point appear here.</Trans>
        </p>
      </Empty>
    );
  }
  return (
    <Empty title={<Trans>No parcels available</Trans>}>
      <p className="quiet">
        <Trans>Paid orders that need an agent appear here.</Trans>
      </p>
    </Empty>
  );
}

function CountyFilter({ county, change }: { county: County | null; change: (to: string) => void }) {
  const [isChoosing, setChoosing] = useState(county !== null);
  const counties = useQuery({ ...countiesQuery, enabled: isChoosing });
  if (!isChoosing) {
    return (
      <p>
        <button type="button" className="as-link" onClick={() => setChoosing(true)}>
          <Trans>Filter by county</Trans>
        </button>
      </p>
    );
  }
  return (
    <div className="field">
      <label className="label" htmlFor="county">
        <Trans>Pick-up or delivery county</Trans>
      </label>
      <select
        id="county"
        className="input"
        value={county ?? ""}
        onChange={(event) => change(event.target.value)}
      >
        <option value="">—</option>
        {counties.data?.map(({ key, name }) => (
          <option key={key} value={key}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}

function Done() {
  const list = useInfiniteQuery({ ...doneQuery, staleTime: 0 });
  const parcels = list.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <>
      {list.isError && <Problem error={list.error} again={() => void list.refetch()} />}
      {list.isPending && <Skeleton />}
      {list.isSuccess && parcels.length === 0 && (
        <Empty title={<Trans>No recent deliveries</Trans>} />
      )}
      <ul className="stack">
        {parcels.map((parcel) => (
          <ParcelCard key={parcel.id} parcel={parcel} done={() => undefined} />
        ))}
      </ul>
      <ShowMore of={list} />
    </>
  );
}

function NotYours() {
  const { t } = useLingui();
  return (
    <>
      <Title text={t`Deliveries`} />
      <Empty title={<Trans>This page is for delivery agents</Trans>}>
        <p className="quiet">
          <Trans>Ask the shop to make you a delivery agent or to add you to a pick-up point.</Trans>
        </p>
        <Link className="button" to="/">
          <Trans>Browse products</Trans>
        </Link>
      </Empty>
    </>
  );
}
