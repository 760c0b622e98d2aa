import { Trans } from "@lingui/react/macro";
import { useInfiniteQuery } from "@tanstack/react-query";
import { phone } from "../i18n/format";
import { Problem } from "../ui/parts";
import { type County, pointsQuery } from "./queries";

/** Choose one of a county's pick-up points. */
export function PickupPoints({
  county,
  chosen,
  error,
  choose,
}: {
  county: County;
  chosen: number | null;
  error: string | undefined;
  choose: (point: number) => void;
}) {
  const list = useInfiniteQuery(pointsQuery(county));
  const points = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <fieldset className="choices" aria-describedby={error ? "points-about" : undefined}>
      <legend className="label">
        <Trans>Pick-up point</Trans>
      </legend>
      {list.isError && <Problem error={list.error} again={() => void list.refetch()} />}
      {list.isPending && <p className="quiet">…</p>}
      {list.isSuccess && points.length === 0 && (
        <p className="notice" role="status">
          <Trans>No pick-up points in this county yet. Try a nearby county.</Trans>
        </p>
      )}
      {points.map((point) => (
        <label className="choice" key={point.id}>
          <input
            type="radio"
            name="pickup_point"
            checked={chosen === point.id}
            onChange={() => choose(point.id)}
          />
          <span>
            <strong>{point.name}</strong>, {point.area}
            <span className="hint">{point.directions}</span>
            <Hours of={point.opening_hours} />
            <span className="hint">{phone(point.phone)}</span>
          </span>
        </label>
      ))}
      {list.hasNextPage && (
        <button
          type="button"
          className="button plain little"
          disabled={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          <Trans>Show more</Trans>
        </button>
      )}
      <div id="points-about" role="alert">
        {error && <span className="error">{error}</span>}
      </div>
    </fieldset>
  );
}

function Hours({ of: hours }: { of: string }) {
  return (
    <span className="hint">
      <Trans>Open: {hours}</Trans>
    </span>
  );
}
