import "./problems.css";
import { Trans, useLingui } from "@lingui/react/macro";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { asForm, dataOf, userApi } from "../api/client";
import { fieldError } from "../api/errors";
import { newKey } from "../api/keys";
import { dayAndClock } from "../i18n/format";
import { Problem } from "../ui/parts";
import { DECIDED, says } from "./labels";
import { MessageField } from "./MessageField";
import { Pictures } from "./Pictures";
import { type Message, pictureQuery, type Reader, refetchProblem, threadQuery } from "./queries";

/** The messages of buyer, seller and shop about a problem, oldest first, and a form for another one
 *  while it is undecided. */
export function Thread({
  track,
  reader,
  isClosed,
}: {
  track: number;
  reader: Reader;
  isClosed: boolean;
}) {
  const { t } = useLingui();
  const thread = useQuery({
    ...threadQuery(track),
    staleTime: 0,
    refetchOnWindowFocus: "always",
    // Polled for new messages.
    refetchInterval: isClosed ? false : 30_000,
  });
  return (
    <div className="stack">
      {thread.isPending && <div className="said skeleton" aria-hidden="true" />}
      {thread.isError && <Problem error={thread.error} again={() => void thread.refetch()} />}
      <ol className="thread" aria-live="polite" aria-label={t`Messages`}>
        {thread.data?.map((message) => (
          <Said key={message.id} message={message} reader={reader} />
        ))}
      </ol>
      {!isClosed && <Answer track={track} reader={reader} />}
    </div>
  );
}

function Said({ message, reader }: { message: Message; reader: Reader }) {
  const { i18n } = useLingui();
  return (
    <li className={message.by === reader ? "own" : message.by === "shop" ? "shop" : ""}>
      <strong>{i18n._(says(message.by, reader))}</strong>{" "}
      <span className="quiet small">{dayAndClock(message.at)}</span>
      {message.decided && (
        <p>
          <strong>{i18n._(DECIDED[message.decided])}</strong>
        </p>
      )}
      {message.text && <p>{message.text}</p>}
      {message.pictures.length > 0 && (
        <div className="shown">
          {message.pictures.map((address) => (
            <Shown key={address} address={address} />
          ))}
        </div>
      )}
    </li>
  );
}

/** A picture of a message. It needs the access token, so it is fetched and drawn on a canvas. */
function Shown({ address }: { address: string }) {
  const { t } = useLingui();
  const picture = useQuery(pictureQuery(address));
  if (picture.isError) {
    return <Problem error={picture.error} again={() => void picture.refetch()} />;
  }
  return <Bitmap of={picture.data} name={t`Picture`} />;
}

/** A decoded picture; a placeholder until then. */
function Bitmap({ of: bitmap, name }: { of: ImageBitmap | undefined; name: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (!canvas.current || !bitmap) return;
    canvas.current.width = bitmap.width;
    canvas.current.height = bitmap.height;
    canvas.current.getContext("2d")?.drawImage(bitmap, 0, 0);
  }, [bitmap]);
  return (
    <canvas
      ref={canvas}
      className={bitmap ? "" : "skeleton"}
      role="img"
      aria-label={name}
      width="400"
      height="300"
    />
  );
}

function Answer({ track, reader }: { track: number; reader: Reader }) {
  const client = useQueryClient();
  // The same message sent again with the same key, after a lost response, is stored once.
  const [key, setKey] = useState(() => newKey());
  const [text, setText] = useState("");
  const [pictures, setPictures] = useState<Blob[]>([]);
  const write = useMutation({
    mutationFn: () =>
      dataOf(
        userApi.POST("/track/{track_id}/problem/messages/", {
          params: { path: { track_id: track }, header: { "Idempotency-Key": key } },
          ...(pictures.length > 0
            ? { body: { text: text.trim(), pictures }, bodySerializer: asForm }
            : { body: { text: text.trim() } }),
        }),
      ),
    onSuccess: () => {
      setText("");
      setPictures([]);
      setKey(newKey());
    },
    onSettled: (_, error) => refetchProblem(client, error),
  });
  // The API refuses another message with the same key.
  const changed = () => {
    if (write.isError) setKey(newKey());
  };
  const wrong = (name: string) => fieldError(write.error, name);
  const id = `answer-${track}`;
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        write.mutate();
      }}
    >
      <MessageField
        id={id}
        label={<Trans>Your reply</Trans>}
        hint={
          reader === "seller" ? (
            <Trans>The buyer and the shop will see this.</Trans>
          ) : (
            <Trans>The seller and the shop will see this.</Trans>
          )
        }
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
      {write.error && !wrong("text") && !wrong("pictures") && <Problem error={write.error} />}
      <button type="submit" className="button little" disabled={write.isPending}>
        {write.isPending ? <Trans>Please wait…</Trans> : <Trans>Send reply</Trans>}
      </button>
    </form>
  );
}
