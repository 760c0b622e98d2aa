import { Trans, useLingui } from "@lingui/react/macro";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { dataOf, type Line, userApi } from "../api/client";
import { ApiError, fieldError } from "../api/errors";
import { ownReviewQuery } from "../api/queries";
import { dayAndClock } from "../i18n/format";
import { Problem } from "../ui/parts";

/** The buyer's review of a delivered line: written once, and editable for some days. */
export function ReviewLine({ line, isWritten }: { line: Line; isWritten: boolean }) {
  const client = useQueryClient();
  // It may also exist because it was written in another tab: then the API refuses a second one.
  const [isThere, setThere] = useState(isWritten);
  const own = useQuery({ ...ownReviewQuery(line.id), enabled: isThere });
  const [isWriting, setWriting] = useState(false);
  const written = own.data;
  const save = useMutation({
    mutationFn: (body: { stars: number; text: string }) => {
      const params = { path: { track_id: line.id } };
      return written
        ? dataOf(userApi.PATCH("/track/{track_id}/review/", { params, body }))
        : dataOf(userApi.POST("/track/{track_id}/review/", { params, body }));
    },
    onSuccess: (saved) => {
      client.setQueryData(ownReviewQuery(line.id).queryKey, saved);
      void client.invalidateQueries({ queryKey: ["reviews", line.product] });
      void client.invalidateQueries({ queryKey: ["product", line.product] });
      void client.invalidateQueries({ queryKey: ["track", line.id] });
      setWriting(false);
    },
    onError: (error) => {
      if (error instanceof ApiError && error.code === "already_reviewed") {
        setThere(true);
        setWriting(false);
      }
    },
  });
  if (isWriting) {
    return (
      <ReviewForm
        stars={written?.stars ?? 0}
        text={written?.text ?? ""}
        isBusy={save.isPending}
        error={save.error}
        save={(body) => save.mutate(body)}
      />
    );
  }
  if (!written && isThere) {
    if (own.isError) return <Problem error={own.error} again={() => void own.refetch()} />;
    return <div className="own-review skeleton" aria-hidden="true" />;
  }
  if (!written) {
    return (
      <button type="button" className="button plain little" onClick={() => setWriting(true)}>
        <Trans>Write a review</Trans>
      </button>
    );
  }
  const until = dayAndClock(written.editable_until);
  return (
    <div className="stack">
      <p className="stars">
        <span className="sign" aria-hidden="true">
          {"★".repeat(written.stars)}
          {"☆".repeat(5 - written.stars)}
        </span>
        <span className="hidden">
          <Trans>You gave {written.stars} of 5 stars</Trans>
        </span>
      </p>
      {written.text && <p className="description">{written.text}</p>}
      {written.hidden && (
        <p className="quiet small">
          <Trans>The shop has hidden this review.</Trans>
        </p>
      )}
      {new Date(written.editable_until) > new Date() && (
        <p className="small">
          <button type="button" className="as-link" onClick={() => setWriting(true)}>
            <Trans>Edit</Trans>
          </button>{" "}
          <span className="quiet">
            <Trans>until {until}</Trans>
          </span>
        </p>
      )}
    </div>
  );
}

function ReviewForm(props: {
  stars: number;
  text: string;
  isBusy: boolean;
  error: Error | null;
  save: (body: { stars: number; text: string }) => void;
}) {
  const { t } = useLingui();
  const [stars, setStars] = useState(props.stars);
  const wrong = (name: string) => fieldError(props.error, name);
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        const text = String(new FormData(event.currentTarget).get("text") ?? "");
        props.save({ stars, text });
      }}
    >
      <fieldset>
        <legend>
          <Trans>Your rating</Trans>
        </legend>
        <div className="star-choice">
          {[1, 2, 3, 4, 5].map((each) => (
            <label key={each} className={each <= stars ? "on" : ""}>
              <input
                type="radio"
                name="stars"
                value={each}
                required
                checked={each === stars}
                onChange={() => setStars(each)}
                aria-label={t`${each} of 5 stars`}
              />
              <span aria-hidden="true">★</span>
            </label>
          ))}
        </div>
        {wrong("stars") && <span className="error">{wrong("stars")}</span>}
      </fieldset>
      <div className="field">
        <label className="label" htmlFor="text">
          <Trans>Your review</Trans>
        </label>
        <textarea
          id="text"
          name="text"
          className="input"
          maxLength={2000}
          defaultValue={props.text}
        />
        {wrong("text") && <span className="error">{wrong("text")}</span>}
      </div>
      {props.error && !wrong("stars") && !wrong("text") && <Problem error={props.error} />}
      <button type="submit" className="button little" disabled={props.isBusy || stars === 0}>
        <Trans>Submit review</Trans>
      </button>
    </form>
  );
}
