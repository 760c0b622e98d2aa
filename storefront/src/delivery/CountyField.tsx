import { Trans } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Problem } from "../ui/parts";
import { type County, countiesQuery } from "./queries";

/** A select of the 47 counties. */
export function CountyField({
  name,
  label,
  value,
  error,
  change,
}: {
  name: string;
  label: ReactNode;
  value: County | "";
  error?: string | null | undefined;
  change: (county: County | "") => void;
}) {
  const counties = useQuery(countiesQuery);
  return (
    <div className="field">
      <label className="label" htmlFor={name}>
        {label}
      </label>
      <select
        id={name}
        name={name}
        className="input"
        // The counties are loaded after the page; the chosen one is shown once they are there.
        value={counties.data ? value : ""}
        disabled={!counties.data}
        aria-invalid={error ? true : undefined}
        aria-describedby={error ? `${name}-about` : undefined}
        onChange={(event) => change(event.target.value as County | "")}
      >
        <option value="">
          {counties.isPending ? <Trans>Please wait…</Trans> : <Trans>Choose one</Trans>}
        </option>
        {counties.data?.map((county) => (
          <option key={county.key} value={county.key}>
            {county.name}
          </option>
        ))}
      </select>
      <div id={`${name}-about`}>{error && <span className="error">{error}</span>}</div>
      {counties.isError && <Problem error={counties.error} again={() => void counties.refetch()} />}
    </div>
  );
}
