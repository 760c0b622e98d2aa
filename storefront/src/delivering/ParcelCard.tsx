import { Trans, useLingui } from "@lingui/react/macro";
import { useState } from "react";
import { NoAnswer } from "../api/errors";
import { dayAndClock } from "../i18n/format";
import { Problem } from "../ui/parts";
import { CodeSheet } from "./CodeSheet";
import { FailedDelivery } from "./FailedDelivery";
import { ACTION, PARCEL_STATUS } from "./labels";
import { CollectFrom, DeliverTo } from "./ParcelStops";
import type { Action, Parcel } from "./queries";
import { ReleaseParcel } from "./ReleaseParcel";
import { type Unsent, useUnsent } from "./unsent";
import { useParcel } from "./useParcel";

/** One parcel: its contents, where the agent goes next, and the next action. */
export function ParcelCard({
  parcel,
  done,
}: {
  parcel: Parcel;
  /** Reports the action: the card may leave the list with it. */
  done: (now: Parcel, action: Action) => void;
}) {
  const { i18n } = useLingui();
  const move = useParcel(parcel.id, (now, { action }) => done(now, action));
  const [isHandingOver, setHandingOver] = useState(false);
  const unsent = useUnsent(parcel.id);
  const isFetching = parcel.status === "to_fetch";
  const since = dayAndClock(parcel.since);
  const act = (pressed: Unsent) => move.mutate(pressed);
  // Under the sheet nobody would see it.
  const refused = move.error && !(move.error instanceof NoAnswer) && !isHandingOver;
  const waits =
    unsent && !move.isPending && !isHandingOver && parcel.actions.includes(unsent.action);
  return (
    <li className="panel parcel">
      <header className="between">
        <h2>{parcel.order}</h2>
        <span className={`tag ${TONE[parcel.status]}`}>{i18n._(PARCEL_STATUS[parcel.status])}</span>
      </header>
      <ul className="in-it">
        {parcel.lines.map((line) => (
          <li key={line.id}>
            {line.number} × {line.name}
          </li>
        ))}
      </ul>
      {isFetching ? <CollectFrom of={parcel} /> : <DeliverTo of={parcel} />}
      {parcel.status !== "delivered" && (
        <details>
          <summary>
            {isFetching ? <Trans>Where it goes next</Trans> : <Trans>Collected from</Trans>}
            <span className="hidden"> ({parcel.order})</span>
          </summary>
          {isFetching ? <DeliverTo of={parcel} /> : <CollectFrom of={parcel} />}
        </details>
      )}
      {waits && (
        <div className="notice warn stack" role="alert">
          <p>
            <strong>
              <Trans>Not sent: no connection.</Trans>
            </strong>{" "}
            {i18n._(ACTION[unsent.action])}
          </p>
          <button type="button" className="button wide" onClick={() => act(unsent)}>
            <Trans>Send again</Trans>
          </button>
        </div>
      )}
      {refused && <Problem error={move.error} />}
      {!waits && (
        <Actions
          parcel={parcel}
          isBusy={move.isPending}
          act={act}
          handOver={() => {
            move.reset();
            setHandingOver(true);
          }}
        />
      )}
      <p className="quiet small">
        <Trans>Since {since}</Trans>
      </p>
      {isHandingOver && (
        <CodeSheet
          parcel={parcel}
          isBusy={move.isPending}
          error={move.error}
          send={(code) => act({ action: "delivered", code })}
          close={() => setHandingOver(false)}
        />
      )}
    </li>
  );
}

const TONE: Record<Parcel["status"], string> = {
  to_fetch: "warn",
  fetched: "",
  shipping: "",
  arrived: "",
  delivered: "ok",
};

/** What can be done now, the next step large and at the bottom, where the thumb is. */
function Actions({
  parcel,
  isBusy,
  act,
  handOver,
}: {
  parcel: Parcel;
  isBusy: boolean;
  act: (pressed: Unsent) => void;
  handOver: () => void;
}) {
  const may = new Set(parcel.actions);
  // It is fetched only after it was taken: one slip of the thumb must not do both.
  if (may.has("claim")) may.delete("fetched");
  const toPoint = parcel.deliver.way === "pickup";
  const next = ORDER.find(
    // It is brought to a pick-up point, and handed over there or at the buyer's door.
    (each) => may.has(each) && !(each === "delivered" && parcel.status === "fetched" && toPoint),
  );
  if (!next) return null;
  const others = ORDER.filter((each) => each !== next && may.has(each));
  return (
    <div className="buttons">
      <ActionButton
        action={next}
        parcel={parcel}
        isBusy={isBusy}
        isNext
        act={act}
        handOver={handOver}
      />
      {others.map((each) => (
        <ActionButton
          key={each}
          action={each}
          parcel={parcel}
          isBusy={isBusy}
          act={act}
          handOver={handOver}
        />
      ))}
      {may.has("release") && (
        <ReleaseParcel
          order={parcel.order}
          isBusy={isBusy}
          send={(note) => act({ action: "release", note })}
        />
      )}
      {may.has("attempt") && (
        <FailedDelivery
          order={parcel.order}
          isBusy={isBusy}
          send={(reason, note) => act({ action: "attempt", reason, note })}
        />
      )}
    </div>
  );
}

/** The steps in their order. */
const ORDER = ["claim", "fetched", "arrived", "shipping", "delivered"] as const;

function ActionButton({
  action,
  parcel,
  isBusy,
  isNext = false,
  act,
  handOver,
}: {
  action: Exclude<Action, "release" | "attempt">;
  parcel: Parcel;
  isBusy: boolean;
  isNext?: boolean;
  act: (pressed: Unsent) => void;
  handOver: () => void;
}) {
  const { i18n } = useLingui();
  const [isSure, setSure] = useState(false);
  // From then on the seller is paid.
  const asks = action === "fetched" && !isSure;
  const press = () => {
    if (action === "delivered") return handOver();
    if (asks) return setSure(true);
    setSure(false);
    act({ action });
  };
  return (
    <>
      {action === "fetched" && isSure && (
        <p className="notice warn" role="status">
          <Trans>
            Confirm only when you have all the items in your hands: the seller is paid from then on.
          </Trans>
        </p>
      )}
      <button
        type="button"
        className={isNext ? "button wide big" : "button plain wide"}
        disabled={isBusy}
        onClick={press}
      >
        {isBusy && isNext ? (
          <Trans>Please wait…</Trans>
        ) : isSure ? (
          <Trans>Yes, I have everything</Trans>
        ) : (
          i18n._(ACTION[action])
        )}
        <span className="hidden"> ({parcel.order})</span>
      </button>
      {action === "fetched" && isSure && (
        <button type="button" className="button plain wide" onClick={() => setSure(false)}>
          <Trans>No, not yet</Trans>
        </button>
      )}
    </>
  );
}
