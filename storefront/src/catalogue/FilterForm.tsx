import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { type ReactNode, useId } from "react";
import { useSearchParams } from "react-router";
import { ApiError, fieldError } from "../api/errors";
import { FILTERS, filtersOf } from "../api/queries";
import { Icon } from "../ui/Icon";
import { CATEGORIES } from "./categories";

/** The filters below "Filters", which "Clear" removes. Not the order, and not the seller, who is the
 *  page's heading. */
const CLEARABLE = ["category", "min_price", "max_price", "min_stars", "in_stock"] as const;

/** The order and filters of a list. They are query parameters, so that Back and sharing keep them.
 *  products/templates/shop/category.html renders the same on the server: change both. */
export function FilterForm({ error, isSearch = false }: { error: unknown; isSearch?: boolean }) {
  const [params, setParams] = useSearchParams();
  const { t, i18n } = useLingui();
  const filters = filtersOf(params, isSearch);
  const set = CLEARABLE.filter((name) => filters[name]).length;
  const isWrong = error instanceof ApiError && error.status === 400;
  const wrong = (name: string) => fieldError(error, name);
  const read = (form: HTMLFormElement) => {
    const typed = new FormData(form);
    const next = new URLSearchParams(params);
    for (const name of [...FILTERS, "category"]) {
      // An unchecked box is missing from FormData.
      if (!typed.has(name) && !(isSearch && name === "in_stock")) continue;
      const value = String(typed.get(name) ?? "").trim();
      if (value) next.set(name, name.endsWith("price") ? value.replace(/[,\s]/g, "") : value);
      else next.delete(name);
    }
    if (next.toString() !== params.toString()) {
      setParams(next, { replace: true, preventScrollReset: true });
    }
  };
  const clear = () => {
    const next = new URLSearchParams(params);
    for (const name of CLEARABLE) next.delete(name);
    setParams(next, { replace: true, preventScrollReset: true });
  };
  return (
    <form
      className="filter-form"
      // Other parameters in the address reset the fields.
      key={[...FILTERS, "category" as const].map((name) => filters[name]).join("|")}
      onSubmit={(event) => {
        event.preventDefault();
        read(event.currentTarget);
      }}
      onChange={(event) => {
        // Text fields apply when they lose the focus.
        if (!(event.target instanceof HTMLInputElement && event.target.type === "text")) {
          read(event.currentTarget);
        }
      }}
      onBlur={(event) => read(event.currentTarget)}
    >
      <Choice name="ordering" label={t`Sort by`} now={filters.ordering}>
        {isSearch && params.get("search") ? (
          <>
            <option value="">{t`Best match`}</option>
            <option value="newest">{t`Newest`}</option>
          </>
        ) : (
          <option value="">{t`Newest`}</option>
        )}
        <option value="price">{t`Price: low to high`}</option>
        <option value="-price">{t`Price: high to low`}</option>
        <option value="stars">{t`Top rated`}</option>
        <option value="best-selling">{t`Best selling`}</option>
      </Choice>
      <details className="filters" open={set > 0 || isWrong}>
        <summary className="button plain">
          <Icon name="filter" />
          <Trans>Filters</Trans>
          {set > 0 && (
            <span className="count">
              {set}
              <span className="hidden">
                <Plural value={set} one="filter on" other="filters on" />
              </span>
            </span>
          )}
        </summary>
        <div className="fields">
          {isSearch && (
            <Choice name="category" label={t`Category`} now={filters.category}>
              <option value="">{t`All categories`}</option>
              {Object.entries(CATEGORIES).map(([category, label]) => (
                <option key={category} value={category}>
                  {i18n._(label)}
                </option>
              ))}
            </Choice>
          )}
          <Price
            name="min_price"
            label={t`Min price (KES)`}
            now={filters.min_price}
            error={wrong("min_price")}
          />
          <Price
            name="max_price"
            label={t`Max price (KES)`}
            now={filters.max_price}
            error={wrong("max_price")}
          />
          <Choice name="min_stars" label={t`Rating`} now={filters.min_stars}>
            <option value="">{t`Any`}</option>
            <option value="4">{t`4 stars and up`}</option>
            <option value="3">{t`3 stars and up`}</option>
          </Choice>
          {isSearch && (
            <label className="choice">
              <input
                type="checkbox"
                name="in_stock"
                value="true"
                defaultChecked={filters.in_stock === "true"}
              />
              <span>
                <Trans>In stock only</Trans>
              </span>
            </label>
          )}
          {set > 0 && (
            <button type="button" className="as-link" onClick={clear}>
              <Trans>Clear filters</Trans>
            </button>
          )}
        </div>
      </details>
      <button type="submit" className="hidden">
        <Trans>Apply</Trans>
      </button>
    </form>
  );
}

function Choice(field: {
  name: string;
  label: string;
  now?: string | undefined;
  children: ReactNode;
}) {
  const id = useId();
  return (
    <div className="field">
      <label className="label" htmlFor={id}>
        {field.label}
      </label>
      <select id={id} name={field.name} className="input" defaultValue={field.now ?? ""}>
        {field.children}
      </select>
    </div>
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
        type="text"
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
