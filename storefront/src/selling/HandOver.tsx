import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { ApiError } from "../api/errors";
import { Problem } from "../ui/parts";
import type { Sale } from "./queries";
import { useMoveLine } from "./useMoveLine";

/** How many codes may be tried (MAX_CODE_MISSES in orders/models/lines.py). */
const MAX_TRIES = 5;

/** Hand the goods to their buyer, with the six-digit collection code the buyer reads out. */
export function HandOver({ sale, done }: { sale: Sale; done: (said: string) => void }) {
  const { t } = useLingui();
  const name = sale.name;
  const move = useMoveLine(sale.id, () => done(t`Handed over: ${name}.`));
  // Here `code` is the field's errors; in any other refusal it is the error code.
  const said = move.error instanceof ApiError && !move.error.code ? move.error.field("code") : null;
  const id = `code-${sale.id}`;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const typed = String(new FormData(event.currentTarget).get("code") ?? "");
        move.mutate({ to: "delivered", code: typed.replace(/\D/g, "") });
      }}
    >
      <div className="by-code">
        <div className="field">
          <label className="label" htmlFor={id}>
            <Trans>The buyer's code</Trans>
          </label>
          <input
            id={id}
            name="code"
            className="input"
            inputMode="numeric"
            autoComplete="off"
            required
            // Spaces and dashes are allowed between the digits.
            pattern="\s*(?:[0-9][\s\-]*){6}"
            title={t`6 digits`}
            maxLength={13}
            aria-invalid={said ? true : undefined}
            aria-describedby={`${id}-about`}
          />
        </div>
        <button type="submit" className="button" disabled={move.isPending}>
          {move.isPending ? <Trans>Please wait…</Trans> : <Trans>Hand over</Trans>}
        </button>
      </div>
      <p id={`${id}-about`} role={said ? "alert" : undefined}>
        {said ? (
          <span className="error">{said}</span>
        ) : (
          <span className="quiet small">
            <Trans>The 6-digit code the buyer reads to you once they have the item.</Trans>
            {sale.code_tries < MAX_TRIES && (
              <>
                {" "}
                <Plural
                  value={sale.code_tries}
                  one="A wrong code was entered before. # try is left."
                  other="A wrong code was entered before. # tries are left."
                />
              </>
            )}
          </span>
        )}
      </p>
      {move.error && !said && <Problem error={move.error} />}
    </form>
  );
}
