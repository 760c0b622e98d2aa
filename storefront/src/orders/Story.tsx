import { Trans, useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { TrackStatus, TrackStory } from "../api/client";
import { trackStoryQuery } from "../api/queries";
import { dayAndClock } from "../i18n/format";
import { Problem } from "../ui/parts";
import { TRACK_STATUS } from "./status";

type Step = TrackStory["history"][number];

/** The way of a line until now, oldest step first; asked for when somebody wants it. `isShown`:
 *  from the beginning. */
export function Story({
  lineId,
  status,
  isShown = false,
}: {
  lineId: number;
  status: TrackStatus;
  isShown?: boolean;
}) {
  const { i18n } = useLingui();
  const [isOpen, setOpen] = useState(isShown);
  const story = useQuery({
    ...trackStoryQuery(lineId),
    // A line that has moved has a longer story.
    queryKey: [...trackStoryQuery(lineId).queryKey, status],
    enabled: isOpen,
  });
  const hours = story.data?.delivery?.opening_hours;
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Trans>Its whole way</Trans>
      </summary>
      {story.isError && <Problem error={story.error} again={() => void story.refetch()} />}
      <ol className="steps">
        {story.data?.history.map((step, at, steps) => {
          const isAtPoint = isArrival(step, steps[at - 1]);
          return (
            <li key={step.at}>
              {isAtPoint ? (
                <Trans>At the pick-up point, it waits for you</Trans>
              ) : (
                i18n._(TRACK_STATUS[step.track_status])
              )}
              <span className="quiet small"> {dayAndClock(step.at)}</span>
              {isAtPoint && hours && (
                <p className="quiet small">
                  <Trans>Open: {hours}</Trans>
                </p>
              )}
              {step.note && !isAtPoint && <p className="quiet small">{step.note}</p>}
            </li>
          );
        })}
      </ol>
    </details>
  );
}

/** Whether a step is that the line reached its pick-up point: the shop's word on a line that was on
 *  its way and still is (orders/representations.py). */
export function isArrival(step: Step, before: Step | undefined): boolean {
  return (
    step.by === "shop" && step.track_status === "shipping" && before?.track_status === "shipping"
  );
}
