import { Trans } from "@lingui/react/macro";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { dataOf, userApi } from "../api/client";
import { ApiError, fieldError, isUnanswered } from "../api/errors";
import { productQuery } from "../api/queries";
import { Problem } from "../ui/parts";
import { digits } from "./draft";
import { Labelled } from "./fields";
import { Offline } from "./parts";
import { type Listing, listingQuery } from "./queries";
import { endKey, keyFor } from "./restockKeys";
import { useFirstError } from "./useFirstError";
import { useOnline } from "./useOnline";

/** Add units to a listing's stock, or remove some. It is a difference, so sales meanwhile do not matter. */
export function Restock({
  listing,
  done,
  close,
}: {
  listing: Listing;
  done: (now: Listing) => void;
  close?: () => void;
}) {
  const client = useQueryClient();
  const isOnline = useOnline();
  const form = useRef<HTMLFormElement>(null);
  const [isLess, setLess] = useState(false);
  const { id } = listing;
  const subject = `restock-${id}`;
  const restock = useMutation({
    mutationFn: (body: { number: number; note: string }) =>
      dataOf(
        userApi.POST("/product/{product_id}/restock/", {
          params: { path: { product_id: id }, header: { "Idempotency-Key": keyFor(subject) } },
          body,
        }),
      ),
    onSuccess: (now) => {
      client.setQueryData(listingQuery(id).queryKey, now);
      form.current?.reset();
      setLess(false);
      done(now);
    },
    onSettled: (_, error) => {
      // Without a response it may have been counted: keep the key, so that it counts once.
      if (isUnanswered(error)) return;
      endKey(subject);
      if (error instanceof ApiError && error.status === 400) return;
      void client.invalidateQueries({ queryKey: ["selling"] });
      void client.invalidateQueries({ queryKey: productQuery(id).queryKey });
    },
  });
  const wrong = (name: string) => fieldError(restock.error, name);
  useFirstError(form, restock.error);
  const isCounted =
    restock.error instanceof ApiError && restock.error.code === "idempotency_key_reused";
  return (
    <form
      ref={form}
      className="stack restock"
      onSubmit={(event) => {
        event.preventDefault();
        if (restock.isPending) return;
        const typed = new FormData(event.currentTarget);
        const number = Number(digits(String(typed.get("number"))));
        restock.mutate({
          number: isLess ? -number : number,
          note: String(typed.get("note") ?? "").trim(),
        });
      }}
    >
      <fieldset className="segments" disabled={restock.isPending}>
        <legend className="hidden">
          <Trans>Stock change</Trans>
        </legend>
        <label>
          <input type="radio" name="way" checked={!isLess} onChange={() => setLess(false)} />
          <span>
            <Trans>Add stock</Trans>
          </span>
        </label>
        <label>
          <input type="radio" name="way" checked={isLess} onChange={() => setLess(true)} />
          <span>
            <Trans>Remove stock</Trans>
          </span>
        </label>
      </fieldset>
      <div className="halves">
        <Labelled id={`number-${id}`} label={<Trans>Quantity</Trans>} error={wrong("number")}>
          <input
            id={`number-${id}`}
            name="number"
            className="input"
            inputMode="numeric"
            autoComplete="off"
            pattern="[0-9 ,]*[1-9][0-9 ,]*"
            required
            maxLength={9}
            aria-invalid={wrong("number") ? true : undefined}
            aria-describedby={`number-${id}-about`}
          />
        </Labelled>
        <Labelled id={`note-${id}`} label={<Trans>Note</Trans>} error={wrong("note")}>
          <input
            id={`note-${id}`}
            name="note"
            className="input"
            autoComplete="off"
            maxLength={200}
            aria-invalid={wrong("note") ? true : undefined}
            aria-describedby={`note-${id}-about`}
          />
        </Labelled>
      </div>
      <Offline />
      {isCounted ? (
        <p className="notice warn" role="alert">
          <Trans>
            Your earlier change was already saved. Check the current stock before you continue.
          </Trans>
        </p>
      ) : (
        restock.error && !wrong("number") && !wrong("note") && <Problem error={restock.error} />
      )}
      <div className="row">
        <button type="submit" className="button little" disabled={restock.isPending || !isOnline}>
          {restock.isPending ? (
            <Trans>Please wait…</Trans>
          ) : isLess ? (
            <Trans>Remove from stock</Trans>
          ) : (
            <Trans>Add to stock</Trans>
          )}
        </button>
        {close && (
          <button type="button" className="button plain little" onClick={close}>
            <Trans>Cancel</Trans>
          </button>
        )}
      </div>
    </form>
  );
}
