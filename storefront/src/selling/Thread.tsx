import { Trans, useLingui } from "@lingui/react/macro";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { mine, read } from "../api/client";
import { ApiError } from "../api/errors";
import { dayAndClock } from "../i18n/format";
import { Problem } from "../ui/parts";
import { type LineProblem, type Message, threadQuery } from "./queries";
import { DECIDED, SAYS } from "./words";

/** What buyer, seller and shop have said of a problem, oldest first, and room for an answer. */
export function Thread({ problem }: { problem: LineProblem }) {
  const thread = useQuery({ ...threadQuery(problem.track), staleTime: 0 });
  return (
    <div className="stack">
      {thread.isPending && <div className="sale bone" aria-hidden="true" />}
      {thread.isError && <Problem error={thread.error} again={() => void thread.refetch()} />}
      <ol className="thread">
        {thread.data?.map((message) => (
          <Said key={message.id} message={message} />
        ))}
      </ol>
      {problem.state !== "closed" && <Answer problem={problem} />}
    </div>
  );
}

function Said({ message }: { message: Message }) {
  const { i18n } = useLingui();
  return (
    <li className={message.by === "seller" ? "own" : ""}>
      <strong>{i18n._(SAYS[message.by])}</strong>{" "}
      <span className="quiet small">{dayAndClock(message.at)}</span>
      {message.decided && <p>{i18n._(DECIDED[message.decided])}</p>}
      {message.text && <p>{message.text}</p>}
      {message.pictures.map((address) => (
        <Shown key={address} address={address} />
      ))}
    </li>
  );
}

/** A picture that is fetched with the token. It is drawn, for the page may show none but the
 *  shop's own addresses (Content-Security-Policy). */
function Shown({ address }: { address: string }) {
  const { t } = useLingui();
  const canvas = useRef<HTMLCanvasElement>(null);
  const picture = useQuery({
    queryKey: ["selling", "picture", address],
    queryFn: async () => {
      const [, track, id] = /track\/(\d+)\/problem\/pictures\/(\d+)\//.exec(address) ?? [];
      const path = { track_id: track ?? "", picture_id: id ?? "" };
      const file = await read<unknown>(
        mine.GET("/track/{track_id}/problem/pictures/{picture_id}/", {
          params: { path },
          parseAs: "blob",
        }),
      );
      return createImageBitmap(file as Blob);
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
  useEffect(() => {
    if (!canvas.current || !picture.data) return;
    canvas.current.width = picture.data.width;
    canvas.current.height = picture.data.height;
    canvas.current.getContext("2d")?.drawImage(picture.data, 0, 0);
  }, [picture.data]);
  if (picture.isError)
    return <Problem error={picture.error} again={() => void picture.refetch()} />;
  return <canvas ref={canvas} role="img" aria-label={t`A picture of it`} />;
}

function Answer({ problem }: { problem: LineProblem }) {
  const client = useQueryClient();
  const form = useRef<HTMLFormElement>(null);
  // The same answer sent again, after a line that broke off, is the same answer.
  const [key, setKey] = useState(() => crypto.randomUUID());
  const write = useMutation({
    mutationFn: (text: string) =>
      read(
        mine.POST("/track/{track_id}/problem/messages/", {
          params: {
            path: { track_id: String(problem.track) },
            header: { "Idempotency-Key": key },
          },
          body: { text },
        }),
      ),
    onSuccess: () => {
      form.current?.reset();
      setKey(crypto.randomUUID());
    },
    onSettled: (_, error) => {
      if (!(error instanceof ApiError && error.status === 400)) {
        void client.invalidateQueries({ queryKey: ["selling"] });
      }
    },
  });
  const wrong = write.error instanceof ApiError ? write.error.field("text") : null;
  const id = `answer-${problem.id}`;
  return (
    <form
      ref={form}
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        write.mutate(String(new FormData(event.currentTarget).get("text") ?? "").trim());
      }}
    >
      <div className="field">
        <label className="label" htmlFor={id}>
          <Trans>Your answer</Trans>
        </label>
        <textarea
          id={id}
          name="text"
          className="input"
          required
          maxLength={2000}
          // Another text under the same key would be refused.
          onChange={() => write.isError && setKey(crypto.randomUUID())}
          aria-invalid={wrong ? true : undefined}
          aria-describedby={`${id}-about`}
        />
        <div id={`${id}-about`}>
          {wrong ? (
            <span className="error">{wrong}</span>
          ) : (
            <span className="hint">
              <Trans>The buyer and the shop read it.</Trans>
            </span>
          )}
        </div>
      </div>
      {write.error && !wrong && <Problem error={write.error} />}
      <button type="submit" className="button little" disabled={write.isPending}>
        {write.isPending ? <Trans>One moment…</Trans> : <Trans>Send the answer</Trans>}
      </button>
    </form>
  );
}
