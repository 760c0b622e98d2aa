import { Trans } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useUser } from "../account/useUser";
import { phone } from "../i18n/format";
import { Problem } from "../ui/parts";
import { CountyField } from "./CountyField";
import type { Choice, Place, Wrong } from "./choice";
import { PickupPoints } from "./PickupPoints";
import { PlaceFields } from "./PlaceFields";
import { type Address, addressesQuery } from "./queries";

/** Choose how the order is delivered: arranged with the seller, to a pick-up point, or to an address. */
export function DeliveryChoice({
  choice,
  place,
  wrong,
  isFixed,
  change,
}: {
  choice: Choice;
  place: Place;
  wrong: Wrong;
  /** Disabled, while the order is placed. */
  isFixed: boolean;
  change: (next: Choice) => void;
}) {
  // Guests have no addresses.
  const isGuest = useUser() === null;
  const addresses = useQuery({ ...addressesQuery, enabled: !isGuest });
  const own = addresses.data ?? [];
  // The chosen address was deleted meanwhile, for example in another tab.
  const isGone =
    typeof choice.way === "number" &&
    addresses.isSuccess &&
    own.every(({ id }) => id !== choice.way);
  const nearest = choice.county || (own[0]?.county ?? "");
  const take = (way: Choice["way"]) => change({ ...choice, way, county: nearest });
  const general = wrong[""] ?? wrong.address;
  return (
    <fieldset className="choices" disabled={isFixed}>
      <legend className="legend">
        <Trans>Delivery</Trans>
      </legend>
      <Way value="none" choice={choice} take={take}>
        <Trans>Arrange with the seller</Trans>
      </Way>
      <Way value="point" choice={choice} take={take}>
        <Trans>Collect at a pick-up point</Trans>
      </Way>
      {choice.way === "point" && (
        <div className="within stack">
          <CountyField
            name="point_county"
            label={<Trans>County</Trans>}
            value={choice.county}
            error={wrong.point_county}
            change={(county) => change({ ...choice, county, point: null })}
          />
          {choice.county && (
            <PickupPoints
              county={choice.county}
              chosen={choice.point}
              error={wrong.pickup_point}
              choose={(point) => change({ ...choice, point })}
            />
          )}
        </div>
      )}
      {own.map((address) => (
        <Way key={address.id} value={address.id} choice={choice} take={take}>
          <AddressLine address={address} />
        </Way>
      ))}
      {addresses.isError && (
        <Problem error={addresses.error} again={() => void addresses.refetch()} />
      )}
      <Way value="new" choice={choice} take={take}>
        {own.length > 0 ? (
          <Trans>Deliver to another address</Trans>
        ) : (
          <Trans>Deliver to an address</Trans>
        )}
      </Way>
      {choice.way === "new" && (
        <div className="within stack">
          <PlaceFields
            place={place}
            wrong={wrong}
            change={(typed) => change({ ...choice, place: { ...choice.place, ...typed } })}
          />
          {!isGuest && (
            <label className="choice">
              <input
                type="checkbox"
                checked={choice.isKept}
                onChange={(event) => change({ ...choice, isKept: event.target.checked })}
              />
              <span>
                <Trans>Save this address</Trans>
              </span>
            </label>
          )}
        </div>
      )}
      {(general || isGone) && (
        <p className="error" role="alert">
          {general ?? <Trans>This address was deleted. Choose another one.</Trans>}
        </p>
      )}
    </fieldset>
  );
}

function Way({
  value,
  choice,
  take,
  children,
}: {
  value: Choice["way"];
  choice: Choice;
  take: (way: Choice["way"]) => void;
  children: ReactNode;
}) {
  return (
    <label className="choice">
      <input
        type="radio"
        name="delivery"
        value={value}
        checked={choice.way === value}
        onChange={() => take(value)}
      />
      <span>{children}</span>
    </label>
  );
}

/** An address as text. */
export function AddressLine({ address }: { address: Address }) {
  const { label, recipient, area, county_name: county, directions } = address;
  return (
    <>
      {label && <strong>{label}: </strong>}
      {area}, {county}
      {directions && <span className="hint">{directions}</span>}
      <span className="hint">
        {recipient}, {phone(address.phone)}
      </span>
    </>
  );
}
