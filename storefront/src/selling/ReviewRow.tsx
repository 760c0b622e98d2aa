import { Trans } from "@lingui/react/macro";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { dataOf, serverNow, userApi } from "../api/client";
import { ApiError, fieldError } from "../api/errors";
import { day } from "../i18n/format";
import { Picture } from "../ui/Picture";
import { Problem } from "../ui/parts";
import { Stars } from "../ui/Stars";
import { Labelled } from "./fields";
import { Offline } from "./parts";
import type { SellersReview } from "./queries";
import { useOnline } from "./useOnline";

/** How long an answer can be edited (products.reviews.services), in milliseconds. */
const EDITABLE_FOR = 7 * 24 * 3600_000;

/** One review, with the seller's answer or the form for it. */
export function ReviewRow({ review }: { review: SellersReview }) {
  const [isWriting, setWriting] = useState(false);
  const { stars, product, answer } = review;
  const name = product.name;
  const mayChange = answer !== null && serverNow() - Date.parse(answer.created_at) < EDITABLE_FOR;
  return (
    <li className="panel stack review-row">
      <header>
        <Picture src={product.thumbnail} />
        <div>
          <h2>
            <Link to={`/selling/listings/${product.id}`}>{name}</Link>
          </h2>
          <Stars stars={stars}>
            {review.returned && (
              <span className="tag">
                <Trans>Returned</Trans>
              </span>
            )}
          </Stars>
          <p className="quiet small">
            {review.by} · {day(review.created_at)}
          </p>
        </div>
      </header>
      {review.text && <p className="words">{review.text}</p>}
      {answer && !isWriting && (
        <div className="own-words">
          <p className="quiet small">
            <Trans>Your reply</Trans>
          </p>
          <p className="words">{answer.text}</p>
          {mayChange && (
            <button type="button" className="as-link" onClick={() => setWriting(true)}>
              <Trans>Edit reply</Trans>
              <span className="hidden"> ({name})</span>
            </button>
          )}
        </div>
      )}
      {!answer && !isWriting && (
        <button type="button" className="button plain little" onClick={() => setWriting(true)}>
          <Trans>Reply</Trans>
          <span className="hidden"> ({name})</span>
        </button>
      )}
      {isWriting && <Answer review={review} close={() => setWriting(false)} />}
    </li>
  );
}

function Answer({ review, close }: { review: SellersReview; close: () => void }) {
  const client = useQueryClient();
  const isOnline = useOnline();
  const id = `answer-${review.id}`;
  const write = useMutation({
    mutationFn: (text: string) => {
      const params = { path: { review_id: review.id } };
      const body = { text };
      return dataOf(
        review.answer
          ? userApi.PATCH("/review/{review_id}/answer/", { params, body })
          : userApi.POST("/review/{review_id}/answer/", { params, body }),
      );
    },
    onSuccess: close,
    onSettled: (_, error) => {
      if (error instanceof ApiError && error.status === 400) return;
      void client.invalidateQueries({ queryKey: ["selling"] });
      void client.invalidateQueries({ queryKey: ["reviews", review.product.id] });
    },
  });
  const wrong = fieldError(write.error, "text");
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (write.isPending) return;
        write.mutate(String(new FormData(event.currentTarget).get("text") ?? "").trim());
      }}
    >
      <Labelled
        id={id}
        label={<Trans>Your reply</Trans>}
        hint={<Trans>Everyone can see your reply. You can edit it for 7 days.</Trans>}
        error={wrong}
      >
        <textarea
          id={id}
          name="text"
          className="input"
          required
          maxLength={2000}
          // biome-ignore lint/a11y/noAutofocus: it was asked for a moment ago
          autoFocus
          defaultValue={review.answer?.text}
          aria-invalid={wrong ? true : undefined}
          aria-describedby={`${id}-about`}
        />
      </Labelled>
      <Offline />
      {write.error && !wrong && <Problem error={write.error} />}
      <p className="row">
        <button type="submit" className="button little" disabled={write.isPending || !isOnline}>
          {write.isPending ? <Trans>Please wait…</Trans> : <Trans>Send reply</Trans>}
        </button>
        <button type="button" className="button plain little" onClick={close}>
          <Trans>Cancel</Trans>
        </button>
      </p>
    </form>
  );
}
