import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { useEffect, useRef, useState } from "react";
import { ApiError } from "../api/errors";
import { Problem } from "../ui/parts";
import type { Parcel } from "./queries";

const DIGITS = 6;
/** How many codes may be tried (MAX_CODE_MISSES in orders/models/lines.py). */
const MAX_TRIES = 5;
const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9"] as const;

/** Enter the collection code the buyer reads out, on large keys for one thumb. */
export function CodeSheet({
  parcel,
  isBusy,
  error,
  send,
  close,
}: {
  parcel: Parcel;
  isBusy: boolean;
  error: Error | null;
  send: (code: string) => void;
  close: () => void;
}) {
  const { t } = useLingui();
  const { order } = parcel;
  const { recipient } = parcel.deliver;
  const sheet = useRef<HTMLDialogElement>(null);
  const [code, setCode] = useState("");
  useEffect(() => {
    sheet.current?.showModal();
  }, []);
  // A wrong code is cleared.
  useEffect(() => {
    if (error instanceof ApiError) setCode("");
  }, [error]);
  const type = (digits: string) => setCode(digits.replace(/\D/g, "").slice(0, DIGITS));
  // Here `code` is the field's errors; in any other refusal it is the error code.
  const wrong = error instanceof ApiError && !error.code ? error.field("code") : null;
  return (
    <dialog className="sheet" ref={sheet} onClose={close} aria-labelledby="sheet-title">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (code.length === DIGITS) send(code);
        }}
      >
        <div className="between">
          <h2 id="sheet-title">
            <Trans>Hand over {order}</Trans>
          </h2>
          <button type="button" className="as-link" onClick={() => sheet.current?.close()}>
            <Trans>Close</Trans>
          </button>
        </div>
        <label htmlFor="sheet-code">
          <Trans>The 6-digit code {recipient} reads to you once they have the items</Trans>
        </label>
        <input
          id="sheet-code"
          className="digits"
          value={code.length > 3 ? `${code.slice(0, 3)} ${code.slice(3)}` : code}
          onChange={(event) => type(event.target.value)}
          // The keys below are larger than the phone's own.
          inputMode="none"
          autoComplete="off"
          placeholder="––– –––"
          aria-invalid={wrong ? true : undefined}
          aria-describedby="sheet-about"
        />
        <div id="sheet-about" role="alert">
          {wrong && <span className="error">{wrong}</span>}
          {!error && parcel.code_tries < MAX_TRIES && (
            <span className="small">
              <Plural
                value={parcel.code_tries}
                one="A wrong code was entered before. # try is left."
                other="A wrong code was entered before. # tries are left."
              />
            </span>
          )}
          {error && !wrong && <Problem error={error} />}
        </div>
        <div className="keys">
          {KEYS.map((key) => (
            <button key={key} type="button" onClick={() => type(code + key)}>
              {key}
            </button>
          ))}
          <button
            type="button"
            className="word"
            disabled={!code}
            aria-label={t`Delete the last digit`}
            onClick={() => setCode(code.slice(0, -1))}
          >
            ⌫
          </button>
          <button type="button" onClick={() => type(`${code}0`)}>
            0
          </button>
          <button type="submit" className="word go" disabled={isBusy || code.length < DIGITS}>
            {isBusy ? "…" : <Trans>Hand over</Trans>}
          </button>
        </div>
      </form>
    </dialog>
  );
}
