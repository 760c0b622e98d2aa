import { Trans, useLingui } from "@lingui/react/macro";
import { Link } from "react-router";
import type { TrackStory } from "../api/client";
import { money } from "../i18n/format";
import { DECIDED } from "../problems/labels";

/** The link to report a problem with a line, or to its problem and how that stands. */
export function ProblemLine({ token, line }: { token: string; line: TrackStory }) {
  const { i18n } = useLingui();
  const { problem } = line;
  const to = `/orders/${token}/problem/${line.id}`;
  const back = money(problem?.refunded ?? 0);
  return (
    <>
      {problem && problem.state !== "closed" && (
        <p className="notice warn">
          <Trans>You reported a problem with this item.</Trans>{" "}
          <Link to={to}>
            <Trans>View and reply</Trans>
            <span className="hidden"> ({line.name})</span>
          </Link>
        </p>
      )}
      {problem?.outcome && problem.outcome !== "cancelled" && (
        <p className="notice">
          <Trans>The problem you reported:</Trans> {i18n._(DECIDED[problem.outcome])}
          {problem.refunded > 0 && <>: {back}</>}
          {". "}
          <Link to={to}>
            <Trans>View messages</Trans>
            <span className="hidden"> ({line.name})</span>
          </Link>
        </p>
      )}
      {line.can_report_problem && (
        <p>
          <Link to={to}>
            <Trans>Report a problem</Trans>
            <span className="hidden"> ({line.name})</span>
          </Link>
        </p>
      )}
    </>
  );
}
