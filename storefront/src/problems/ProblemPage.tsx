import "./problems.css";
import { Trans, useLingui } from "@lingui/react/macro";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { Link, useParams } from "react-router";
import { dataOf, type TrackStory, userApi } from "../api/client";
import { ApiError } from "../api/errors";
import { trackStoryQuery } from "../api/queries";
import { NotFound } from "../app/NotFound";
import { Title } from "../app/Title";
import { day, money } from "../i18n/format";
import { ConfirmButton } from "../ui/ConfirmButton";
import { Picture } from "../ui/Picture";
import { Money, Problem } from "../ui/parts";
import { DECIDED, PROBLEM_KIND } from "./labels";
import { refetchProblem } from "./queries";
import { ReportForm } from "./ReportForm";
import { Thread } from "./Thread";

/** A problem with a bought line, for its buyer: report it, discuss it, see the decision, withdraw it. */
export default function ProblemPage() {
  const { t } = useLingui();
  const { token = "", line: id = "" } = useParams();
  const query = useQuery({
    ...trackStoryQuery(Number(id)),
    staleTime: 0,
    refetchOnWindowFocus: "always",
    refetchInterval: 60_000,
  });
  const story = query.data;
  if (!story && query.error instanceof ApiError && query.error.status === 404) {
    return <NotFound title={t`Order not found`} />;
  }
  return (
    <div className="narrow stack">
      <Title text={t`Problem with your order`} />
      <h1>
        <Trans>Problem with your order</Trans>
      </h1>
      {query.isError && <Problem error={query.error} again={() => void query.refetch()} />}
      {query.isPending && (
        <div className="stack" aria-hidden="true">
          <div className="panel skeleton about-line" />
          <div className="panel skeleton about-form" />
        </div>
      )}
      {story && <Line story={story} />}
      {story && <State story={story} />}
      <p>
        <Link to={`/orders/${token}`}>
          <Trans>Back to the order</Trans>
        </Link>
      </p>
    </div>
  );
}

function Line({ story }: { story: TrackStory }) {
  const { reference, seller } = story;
  return (
    <div className="panel about-line">
      <Picture src={story.avatar} />
      <div>
        <strong>
          {story.number} × {story.name}
        </strong>
        <p className="quiet small">
          <Trans>
            Order {reference}, sold by {seller}
          </Trans>
        </p>
      </div>
      <Money kes={story.amount} />
    </div>
  );
}

function State({ story }: { story: TrackStory }) {
  const { problem } = story;
  const [isAnother, setAnother] = useState(false);
  if (!problem || isAnother) {
    if (story.can_report_problem) return <ReportForm track={story.id} />;
    if (!problem) return <TooLate />;
  }
  const isClosed = problem.state === "closed";
  return (
    <>
      <Status problem={problem} />
      <section className="panel">
        <h2>
          <Trans>Messages</Trans>
        </h2>
        <Thread track={story.id} reader="buyer" isClosed={isClosed} />
      </section>
      {!isClosed && <Withdraw track={story.id} />}
      {isClosed && story.can_report_problem && (
        <p>
          <button type="button" className="button plain little" onClick={() => setAnother(true)}>
            <Trans>Still not solved</Trans>
          </button>
        </p>
      )}
    </>
  );
}

/** The problem's status; screen readers announce a change. */
function Status({ problem }: { problem: NonNullable<TrackStory["problem"]> }) {
  const { i18n } = useLingui();
  const { outcome, refunded } = problem;
  const opened = day(problem.opened_at);
  const back = money(refunded);
  // A decision that arrives while the page is open is scrolled into view.
  const box = useRef<HTMLDivElement>(null);
  const before = useRef(problem.state);
  useEffect(() => {
    if (before.current !== problem.state) box.current?.scrollIntoView({ block: "nearest" });
    before.current = problem.state;
  }, [problem.state]);
  const tone = outcome === null ? "warn" : outcome === "dismissed" ? "bad" : "ok";
  return (
    <div className={`notice stack ${tone}`} role="status" ref={box}>
      <p>
        <strong>{i18n._(PROBLEM_KIND[problem.kind])}</strong>{" "}
        <span className="quiet small">
          <Trans>reported on {opened}</Trans>
        </span>
      </p>
      {outcome === null && problem.state === "returning" && (
        <p>
          <Trans>Return the item to the seller first. You are refunded once they have it.</Trans>
        </p>
      )}
      {outcome === null && problem.state !== "returning" && (
        <p>
          <Trans>
            We have notified the seller. Their payment for this item is on hold until the problem is
            solved. If they do not reply, the shop decides.
          </Trans>
        </p>
      )}
      {outcome !== null && (
        <p>
          {i18n._(DECIDED[outcome])}
          {refunded > 0 && <>: {back}</>}
        </p>
      )}
      {refunded > 0 && (
        <p className="small">
          <Trans>The refund goes to the phone that paid.</Trans>
        </p>
      )}
    </div>
  );
}

function Withdraw({ track }: { track: number }) {
  const client = useQueryClient();
  const withdraw = useMutation({
    mutationFn: () =>
      dataOf(
        userApi.POST("/track/{track_id}/problem/withdraw/", {
          params: { path: { track_id: track } },
        }),
      ),
    onSettled: (_, error) => refetchProblem(client, error),
  });
  return (
    <ConfirmButton
      label={<Trans>It is solved: close the problem</Trans>}
      warning={
        <Trans>
          The problem is closed without a refund and the seller is paid. You can still read the
          messages.
        </Trans>
      }
      confirm={<Trans>Yes, close it</Trans>}
      isBusy={withdraw.isPending}
      error={withdraw.error}
      onConfirm={() => withdraw.mutate()}
    />
  );
}

function TooLate() {
  return (
    <p className="notice">
      <Trans>
        You can report a problem once an item is paid, and for a few days after delivery. Cancelled
        items cannot be reported.
      </Trans>
    </p>
  );
}
