import { Trans, useLingui } from "@lingui/react/macro";
import { useId } from "react";
import { useSearchParams } from "react-router";
import { ApiError } from "../api/errors";
import { FILTERS, filtersOf } from "../api/queries";

/** Filters and order of a list. They stand in the address, so that Back and sharing keep them. */
export function Sieve({ error }: { error: unknown }) {
  const [params, setParams] = useSearchParams();
  const { t } = useLingui();
  const filters = filtersOf(params);
  const order = useId();
  const wrong = (name: string) => (error instanceof ApiError ? error.field(name) : null);
  const set = (name: string, value: string) => {
    const next = new URLSearchParams(params);
    if (value) next.set(name, value);
    else next.delete(name);
    setParams(next, { replace: true, preventScrollReset: true });
  };
  const read = (form: HTMLFormElement) => {
    const typed = new FormData(form);
    const next = new URLSearchParams(params);
    for (const name of ["min_price", "max_price"]) {
      const value = String(typed.get(name) ?? "").replace(/[,\s]/g, "");
      if (value) next.set(name, value);
      else next.delete(name);
    }
    if (next.toString() !== params.toString()) {
      setParams(next, { replace: true, preventScrollReset: true });
    }
  };
  return (
    <form
      className="sieve"
      // A new address fills the fields anew.
      key={FILTERS.map((name) => filters[name]).join("|")}
      onSubmit={(event) => {
        event.preventDefault();
        read(event.currentTarget);
      }}
      onBlur={(event) => read(event.currentTarget)}
    >
      <div className="field">
        <label className="label" htmlFor={order}>
          <Trans>Order</Trans>
        </label>
        <select
          id={order}
          className="input"
          value={filters.ordering ?? ""}
          onChange={(event) => set("ordering", event.target.value)}
        >
          <option value="">{t`Newest first`}</option>
          <option value="price">{t`Cheapest first`}</option>
          <option value="-price">{t`Dearest first`}</option>
        </select>
      </div>
      <Price
        name="min_price"
        label={t`From KES`}
        now={filters.min_price}
        error={wrong("min_price")}
      />
      <Price
        name="max_price"
        label={t`To KES`}
        now={filters.max_price}
        error={wrong("max_price")}
      />
      <button type="submit" className="hidden">
        <Trans>Show</Trans>
      </button>
    </form>
  );
}

function Price(field: {
  name: string;
  label: string;
  now?: string | undefined;
  error: string | null;
}) {
  return (
    <div className="field">
      <label className="label" htmlFor={field.name}>
        {field.label}
      </label>
      <input
        id={field.name}
        name={field.name}
        className="input"
        inputMode="numeric"
        autoComplete="off"
        defaultValue={field.now ?? ""}
        aria-invalid={field.error ? true : undefined}
        aria-describedby={field.error ? `${field.name}-wrong` : undefined}
      />
      {field.error && (
        <span className="error" id={`${field.name}-wrong`}>
          {field.error}
        </span>
      )}
    </div>
  );
}
