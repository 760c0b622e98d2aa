import { Trans, useLingui } from "@lingui/react/macro";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { day, money } from "../i18n/format";
import { DECIDED, PROBLEM_KIND } from "../problems/labels";
import type { LineProblem } from "../problems/queries";
import { Thread } from "../problems/Thread";
import { Empty, Money } from "../ui/parts";
import { Pages, Selling } from "./parts";
import { problemsQuery } from "./queries";
import { ResolveProblem } from "./ResolveProblem";

/** Problems buyers have reported, undecided first: read, answer, agree to a refund. */
export default function ProblemsPage() {
  const { t } = useLingui();
  const list = useInfiniteQuery({ ...problemsQuery, staleTime: 0 });
  return (
    <Selling name={t`Problems`}>
      <Pages
        of={list}
        empty={
          <Empty title={<Trans>No problems reported</Trans>}>
            <p className="quiet">
              <Trans>Problems that buyers report appear here. We will notify you.</Trans>
            </p>
          </Empty>
        }
        row={(problem) => <ProblemRow key={problem.id} problem={problem} />}
      />
    </Selling>
  );
}

function ProblemRow({ problem }: { problem: LineProblem }) {
  const { i18n } = useLingui();
  const [isOpen, setOpen] = useState(false);
  const { order } = problem;
  const opened = day(problem.opened_at);
  const back = money(problem.refunded);
  const isClosed = problem.state === "closed";
  return (
    <li className="panel stack">
      <div className="between">
        <h2>
          {problem.number} × {problem.name}
        </h2>
        <Money kes={problem.amount} />
      </div>
      <p>
        <span className={isClosed ? "tag" : "tag bad"}>{i18n._(PROBLEM_KIND[problem.kind])}</span>{" "}
        <span className="quiet small">
          <Trans>
            order {order}, reported on {opened}
          </Trans>
        </span>
      </p>
      {problem.outcome && (
        <p>
          {i18n._(DECIDED[problem.outcome])}
          {problem.refunded > 0 && <>: {back}</>}
        </p>
      )}
      {problem.state === "returning" && <p>{i18n._(DECIDED.returning)}</p>}
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          {isClosed ? <Trans>View messages</Trans> : <Trans>View and reply</Trans>}
          <span className="hidden"> ({problem.name})</span>
        </summary>
        {isOpen && <Thread track={problem.track} reader="seller" isClosed={isClosed} />}
      </details>
      {!isClosed && <ResolveProblem problem={problem} />}
    </li>
  );
}
