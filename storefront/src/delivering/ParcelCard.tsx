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
  /** Called after an action, with which the card may leave the list. */
  done: (now: Parcel, action: Action) => void;
}) {
  const { i18n } = useLingui();
  const move = useParcel(parcel.id, (now, { action }) => done(now, action));
  const [isHandingOver, setHandingOver] = useState(false);
  const unsent = useUnsent(parcel.id);
  const isFetching = parcel.status === "to_fetch";
  const since = dayAndClock(parcel.since);
  const act = (pressed: Unsent) => move.mutate(pressed);
  const isUsedUp = parcel.code_tries === 0 && !isFetching && parcel.status !== "delivered";
  // Not while the sheet is open, which would cover it and shows it itself.
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
      {refused && !isUsedUp && <Problem error={move.error} />}
      {isUsedUp && (
        <p className="notice warn">
          <Trans>
            Too many wrong codes were entered for this parcel. Ask the buyer to press “I received
            it” on the order's page, or call the shop.
          </Trans>
        </p>
      )}
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

/** The parcel's possible actions. The next step is large and at the bottom, within reach of a thumb. */
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
  // Fetching would claim it too: two separate presses, so that a slip does not do both.
  if (may.has("claim")) may.delete("fetched");
  const toPoint = parcel.deliver.way === "pickup";
  const next = ORDER.find(
    // A fetched parcel for a pick-up point goes there first: handing it over is not the next step.
    (each) => may.has(each) && !(each === "delivered" && parcel.status === "fetched" && toPoint),
  );
  if (may.size === 0) return null;
  const others = ORDER.filter((each) => each !== next && may.has(each));
  return (
    <div className="buttons">
      {next && (
        <ActionButton
          action={next}
          parcel={parcel}
          isBusy={isBusy}
          isNext
          act={act}
          handOver={handOver}
        />
      )}
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

/** The actions in their order; the first possible one is the next step. */
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
  // Asks for confirmation: once it is fetched, the seller is paid.
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
