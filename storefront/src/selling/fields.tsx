/** The form fields of a listing, for a new one and for editing. */

import { Trans, useLingui } from "@lingui/react/macro";
import type { ReactNode } from "react";
import { CATEGORIES } from "../catalogue/categories";
import { Field } from "../ui/parts";
import type { Fields } from "./draft";

/** The API's limits, in characters (products/listings/serializers.py). */
const MAX_NAME = 100;
const MAX_DESCRIPTION = 5000;

type Of = { values: Fields; wrong: (name: string) => string | null };

export function NameField({ values, wrong }: Of) {
  return (
    <Field
      label={<Trans>Product name</Trans>}
      name="name"
      autoComplete="off"
      enterKeyHint="next"
      required
      maxLength={MAX_NAME}
      defaultValue={values.name}
      hint={<Trans>Brand, model and size, as buyers would search for it.</Trans>}
      error={wrong("name")}
    />
  );
}

export function CategoryField({ values, wrong }: Of) {
  const { i18n, t } = useLingui();
  const error = wrong("category");
  return (
    <Labelled id="category" label={<Trans>Category</Trans>} error={error}>
      <select
        id="category"
        name="category"
        className="input"
        required
        defaultValue={values.category ?? ""}
        aria-invalid={error ? true : undefined}
        aria-describedby={error ? "category-about" : undefined}
      >
        <option value="" disabled>
          {t`Choose one`}
        </option>
        {Object.entries(CATEGORIES).map(([key, name]) => (
          <option key={key} value={key}>
            {i18n._(name)}
          </option>
        ))}
      </select>
    </Labelled>
  );
}

export function PriceField({ values, wrong }: Of) {
  return (
    <Field
      label={<Trans>Price (KES)</Trans>}
      name="price"
      inputMode="numeric"
      autoComplete="off"
      required
      maxLength={12}
      defaultValue={values.price}
      error={wrong("price")}
    />
  );
}

export function DescriptionField({ values, wrong }: Of) {
  const error = wrong("description");
  return (
    <Labelled
      id="description"
      label={<Trans>Description (optional)</Trans>}
      hint={<Trans>New or used, colour, what is included, any faults.</Trans>}
      error={error}
    >
      <textarea
        id="description"
        name="description"
        className="input"
        maxLength={MAX_DESCRIPTION}
        defaultValue={values.description}
        aria-invalid={error ? true : undefined}
        aria-describedby="description-about"
      />
    </Labelled>
  );
}

/** A form field's label, hint and error around its input. */
export function Labelled({
  id,
  label,
  hint,
  error,
  children,
}: {
  id: string;
  label: ReactNode;
  hint?: ReactNode;
  error?: string | null | undefined;
  children: ReactNode;
}) {
  return (
    <div className="field">
      <label className="label" htmlFor={id}>
        {label}
      </label>
      {children}
      <div id={`${id}-about`}>
        {error && <span className="error">{error}</span>}
        {hint && !error && <span className="hint">{hint}</span>}
      </div>
    </div>
  );
}
