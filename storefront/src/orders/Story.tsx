import { Trans, useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { TrackStatus } from "../api/client";
import { trackStoryQuery } from "../api/queries";
import { dayAndClock } from "../i18n/format";
import { Problem } from "../ui/parts";
import { TRACK_STATUS } from "./status";

/** The way of a line until now, oldest step first; asked for when somebody wants it. */
export function Story({ lineId, status }: { lineId: number; status: TrackStatus }) {
  const { i18n } = useLingui();
  const [isOpen, setOpen] = useState(false);
  const story = useQuery({
    ...trackStoryQuery(lineId),
    // A line that has moved has a longer story.
    queryKey: [...trackStoryQuery(lineId).queryKey, status],
    enabled: isOpen,
  });
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Trans>Its whole way</Trans>
      </summary>
      {story.isError && <Problem error={story.error} again={() => void story.refetch()} />}
      <ol className="steps">
        {story.data?.history.map((step) => (
          <li key={step.at}>
            {i18n._(TRACK_STATUS[step.track_status])}
            <span className="quiet small"> {dayAndClock(step.at)}</span>
            {step.note && <p className="quiet small">{step.note}</p>}
          </li>
        ))}
      </ol>
    </details>
  );
}
