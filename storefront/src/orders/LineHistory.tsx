import { Trans, useLingui } from "@lingui/react/macro";
import type { TrackStatus, TrackStory } from "../api/client";
import { dayAndClock } from "../i18n/format";
import { Problem } from "../ui/parts";
import { TRACK_STATUS, UNDER_WAY } from "./labels";

type Step = TrackStory["history"][number];

const WAY: TrackStatus[] = ["paid", "fetched", "shipping", "delivered"];

/** The steps of a line, oldest first, and those still to come. */
export function LineHistory({
  story,
  status,
  error,
  again,
}: {
  /** Undefined until it is loaded. */
  story: TrackStory | undefined;
  status: TrackStatus;
  error: Error | null;
  again: () => void;
}) {
  const { i18n, t } = useLingui();
  const hours = story?.delivery?.opening_hours;
  const toCome = UNDER_WAY.has(status) ? WAY.slice(WAY.indexOf(status) + 1) : [];
  if (error && !story) return <Problem error={error} again={again} />;
  if (!story) return <div className="steps-to-come skeleton" aria-hidden="true" />;
  return (
    <ol className="steps" aria-label={t`Order history`}>
      {story.history.map((step, at, steps) => {
        const isAtPoint = isArrival(step, steps[at - 1]);
        return (
          <li key={step.at}>
            {isAtPoint ? (
              <Trans>Ready to collect at the pick-up point</Trans>
            ) : step.track_status === "created" ? (
              <Trans>Ordered</Trans>
            ) : (
              i18n._(TRACK_STATUS[step.track_status])
            )}{" "}
            <span className="when quiet small">{dayAndClock(step.at)}</span>
            {isAtPoint && hours && (
              <p className="quiet small">
                <Trans>Open: {hours}</Trans>
              </p>
            )}
            {step.note && !isAtPoint && <p className="quiet small">{step.note}</p>}
          </li>
        );
      })}
      {toCome.map((each) => (
        <li className="to-come quiet" key={each}>
          {i18n._(TRACK_STATUS[each])}
          <span className="hidden">
            {" "}
            <Trans>(not yet)</Trans>
          </span>
        </li>
      ))}
    </ol>
  );
}

/** Whether a step is the arrival at the pick-up point: a step by the shop after which the line is
 *  still "shipping" (orders/representations.py). */
export function isArrival(step: Step, before: Step | undefined): boolean {
  return (
    step.by === "shop" && step.track_status === "shipping" && before?.track_status === "shipping"
  );
}
