import { Trans, useLingui } from "@lingui/react/macro";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { asForm, dataOf, userApi } from "../api/client";
import { fieldError } from "../api/errors";
import { newKey } from "../api/keys";
import { Problem } from "../ui/parts";
import { PROBLEM_KIND } from "./labels";
import { MessageField } from "./MessageField";
import { Pictures } from "./Pictures";
import { type ProblemKind, refetchProblem } from "./queries";

const KINDS = Object.keys(PROBLEM_KIND) as ProblemKind[];

/** The form that reports a problem. One press is one report: the Idempotency-Key stays the same until
 *  there is a response. */
export function ReportForm({ track }: { track: number }) {
  const { i18n } = useLingui();
  const client = useQueryClient();
  const [key, setKey] = useState(() => newKey());
  const [kind, setKind] = useState<ProblemKind | null>(null);
  const [text, setText] = useState("");
  const [pictures, setPictures] = useState<Blob[]>([]);
  const report = useMutation({
    mutationFn: (what: ProblemKind) =>
      dataOf(
        userApi.POST("/track/{track_id}/problem/", {
          params: { path: { track_id: track }, header: { "Idempotency-Key": key } },
          body: { kind: what, text: text.trim(), pictures },
          bodySerializer: asForm,
        }),
      ),
    onSettled: (_, error) => refetchProblem(client, error),
  });
  // The API refuses another report with the same key.
  const changed = () => {
    if (report.isError) setKey(newKey());
  };
  const wrong = (name: string) => fieldError(report.error, name);
  return (
    <form
      className="panel stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (kind) report.mutate(kind);
      }}
    >
      <fieldset className="choices">
        <legend className="legend">
          <Trans>What is wrong?</Trans>
        </legend>
        {KINDS.map((each) => (
          <label className="choice pick" key={each}>
            <input
              type="radio"
              name="kind"
              value={each}
              required
              checked={kind === each}
              onChange={() => {
                changed();
                setKind(each);
              }}
            />
            <span>{i18n._(PROBLEM_KIND[each])}</span>
          </label>
        ))}
        {wrong("kind") && <span className="error">{wrong("kind")}</span>}
      </fieldset>
      <MessageField
        id="text"
        label={<Trans>What happened?</Trans>}
        hint={<Trans>The seller and the shop will see this.</Trans>}
        error={wrong("text")}
        value={text}
        change={(to) => {
          changed();
          setText(to);
        }}
      />
      <Pictures
        pictures={pictures}
        error={wrong("pictures")}
        change={(to) => {
          changed();
          setPictures(to);
        }}
      />
      {report.error && !["kind", "text", "pictures"].some(wrong) && (
        <Problem error={report.error} />
      )}
      <button type="submit" className="button" disabled={report.isPending}>
        {report.isPending ? <Trans>Please wait…</Trans> : <Trans>Report problem</Trans>}
      </button>
    </form>
  );
}
