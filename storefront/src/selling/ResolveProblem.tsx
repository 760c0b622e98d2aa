import { Trans } from "@lingui/react/macro";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { dataOf, userApi } from "../api/client";
import { fieldError } from "../api/errors";
import { money } from "../i18n/format";
import { type LineProblem, refetchProblem } from "../problems/queries";
import { Field, Problem } from "../ui/parts";

type Way = "whole" | "part" | "back" | "returned";
type Typed = { amount?: number; note: string; goods_there: boolean };

/** The decisions a seller can make about a problem. They are final. */
export function ResolveProblem({ problem }: { problem: LineProblem }) {
  const [way, setWay] = useState<Way | null>(null);
  const isReturning = problem.state === "returning";
  const mayReturn = problem.track_status !== "paid";
  const ways: [Way, ReactNode][] = isReturning
    ? [["returned", <Trans key="returned">I have the item back</Trans>]]
    : [
        ["whole", <Trans key="whole">Refund in full</Trans>],
        ["part", <Trans key="part">Refund part of it</Trans>],
      ];
  if (!isReturning && mayReturn) ways.push(["back", <Trans key="back">Request a return</Trans>]);
  if (way) return <Agree key={way} problem={problem} way={way} close={() => setWay(null)} />;
  return (
    <div className="row">
      {ways.map(([each, name]) => (
        <button
          key={each}
          type="button"
          className="button plain little"
          onClick={() => setWay(each)}
        >
          {name}
          <span className="hidden"> ({problem.name})</span>
        </button>
      ))}
    </div>
  );
}

function Agree({ problem, way, close }: { problem: LineProblem; way: Way; close: () => void }) {
  const client = useQueryClient();
  const rest = problem.amount - problem.reduced;
  const decide = useMutation({
    mutationFn: ({ amount, note, goods_there }: Typed) => {
      const params = { path: { track_id: problem.track } };
      if (way === "returned") {
        return dataOf(
          userApi.POST("/track/{track_id}/problem/returned/", {
            params,
            body: { goods_there, note },
          }),
        );
      }
      const agreed =
        way === "part" ? { amount: amount ?? 0 } : way === "back" ? { bring_back: true } : {};
      return dataOf(
        userApi.POST("/track/{track_id}/problem/accept/", { params, body: { ...agreed, note } }),
      );
    },
    onSuccess: close,
    onSettled: (_, error) => refetchProblem(client, error),
  });
  const wrong = (name: string) => fieldError(decide.error, name);
  return (
    <form
      className="notice warn stack"
      onSubmit={(event) => {
        event.preventDefault();
        const typed = new FormData(event.currentTarget);
        decide.mutate({
          amount: Number(typed.get(`amount-${problem.id}`)),
          note: String(typed.get(`note-${problem.id}`) ?? "").trim(),
          goods_there: typed.get("goods_there") === "on",
        });
      }}
    >
      <p>
        <Means way={way} rest={rest} />
      </p>
      {way === "part" && (
        <Field
          label={<Trans>Refund amount (KES)</Trans>}
          name={`amount-${problem.id}`}
          type="number"
          inputMode="numeric"
          min={1}
          max={rest}
          step={1}
          required
          error={wrong("amount")}
        />
      )}
      {way === "returned" && (
        <label className="choice">
          <input type="checkbox" name="goods_there" />
          <span>
            <Trans>Put the item back in stock</Trans>
          </span>
        </label>
      )}
      <Field
        label={<Trans>Message to the buyer (optional)</Trans>}
        name={`note-${problem.id}`}
        maxLength={200}
        error={wrong("note")}
      />
      {decide.error && !wrong("amount") && !wrong("note") && <Problem error={decide.error} />}
      <div className="row">
        <button type="submit" className="button danger little" disabled={decide.isPending}>
          {decide.isPending ? <Trans>Please wait…</Trans> : <Trans>Yes, I agree</Trans>}
        </button>
        <button type="button" className="button plain little" onClick={close}>
          <Trans>Go back</Trans>
        </button>
      </div>
    </form>
  );
}

function Means({ way, rest }: { way: Way; rest: number }) {
  const amount = money(rest);
  if (way === "whole") {
    return (
      <Trans>
        We refund {amount} to the buyer right away and you are not paid for this item. You do not
        get it back. This cannot be undone.
      </Trans>
    );
  }
  if (way === "part") {
    return (
      <Trans>
        The buyer keeps the item and gets part of {amount} back; you are paid the rest. This cannot
        be undone.
      </Trans>
    );
  }
  if (way === "back") {
    return (
      <Trans>
        The buyer returns the item. Once you confirm you have it, we refund {amount} to the buyer.
      </Trans>
    );
  }
  return <Trans>We refund {amount} to the buyer. This cannot be undone.</Trans>;
}
