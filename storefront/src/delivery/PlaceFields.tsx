import { Trans } from "@lingui/react/macro";
import { Field } from "../ui/parts";
import { CountyField } from "./CountyField";
import type { Place, Wrong } from "./choice";

/** The form fields of an address. */
export function PlaceFields({
  place,
  wrong,
  change,
}: {
  place: Place;
  wrong: Wrong;
  change: (changed: Partial<Place>) => void;
}) {
  const text = (name: "recipient" | "phone" | "area" | "directions") => ({
    name,
    value: place[name],
    error: wrong[name],
    onChange: (event: React.ChangeEvent<HTMLInputElement>) =>
      change({ [name]: event.target.value }),
  });
  return (
    <>
      <Field
        {...text("recipient")}
        label={<Trans>Recipient's name</Trans>}
        autoComplete="name"
        maxLength={100}
      />
      <Field
        {...text("phone")}
        label={<Trans>Recipient's phone</Trans>}
        type="tel"
        inputMode="tel"
        autoComplete="tel"
        hint={<Trans>The delivery agent will call this number.</Trans>}
      />
      <CountyField
        name="county"
        label={<Trans>County</Trans>}
        value={place.county}
        error={wrong.county}
        change={(county) => change({ county })}
      />
      <Field
        {...text("area")}
        label={<Trans>Town, estate or street</Trans>}
        autoComplete="address-line1"
        maxLength={100}
      />
      <Field
        {...text("directions")}
        label={<Trans>Directions</Trans>}
        maxLength={300}
        hint={<Trans>Landmark, gate or floor (optional).</Trans>}
      />
    </>
  );
}
