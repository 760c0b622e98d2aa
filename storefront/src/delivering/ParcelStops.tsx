import { Trans, useLingui } from "@lingui/react/macro";
import { phone } from "../i18n/format";
import { Icon } from "../ui/Icon";
import type { Parcel } from "./queries";

/** Where a parcel is collected. */
export function CollectFrom({ of: { collect, order } }: { of: Parcel }) {
  return (
    <section className="stop">
      <h3>
        <Trans>Collect from</Trans>
      </h3>
      <p className="who">{collect.name}</p>
      {collect.area ? (
        <Place area={collect.area} directions={collect.directions} county={collect.county_name} />
      ) : (
        <p className="quiet">
          {collect.phone ? (
            <Trans>The seller has not given an address. Call them and ask.</Trans>
          ) : (
            <Trans>The seller has not given an address or phone. Ask the shop.</Trans>
          )}
        </p>
      )}
      <ContactLinks
        order={order}
        number={collect.phone}
        place={collect.area && `${collect.area}, ${collect.county_name}`}
      />
    </section>
  );
}

/** Where a parcel goes. */
export function DeliverTo({ of: { deliver, order } }: { of: Parcel }) {
  const point = deliver.pickup_point;
  const hours = point?.opening_hours;
  const { recipient } = deliver;
  return (
    <section className="stop">
      <h3>{point ? <Trans>Deliver to the pick-up point</Trans> : <Trans>Deliver to</Trans>}</h3>
      <p className="who">{point ? point.name : recipient}</p>
      <Place
        // A point's area begins with its name, which is shown above.
        area={point ? deliver.area.replace(`${point.name}, `, "") : deliver.area}
        directions={deliver.directions}
        county={deliver.county_name}
      />
      {point && (
        <p>
          <Trans>Open: {hours}</Trans>
          <br />
          <Trans>For {recipient}</Trans>
        </p>
      )}
      <ContactLinks
        order={order}
        number={deliver.phone ?? point?.phone ?? null}
        place={`${deliver.area}, ${deliver.county_name}`}
      />
    </section>
  );
}

function Place({
  area,
  directions,
  county,
}: {
  area: string;
  directions: string | null;
  county: string | null;
}) {
  return (
    <p className="place">
      {area}, {county}
      {directions && <strong>{directions}</strong>}
    </p>
  );
}

/** Buttons to call, and to open a map. The map gets the place, but no name. */
function ContactLinks({
  order,
  number,
  place,
}: {
  order: string;
  number: string | null;
  place: string | null;
}) {
  const { t } = useLingui();
  const map = new URL("https://www.google.com/maps/search/");
  map.search = String(new URLSearchParams({ api: "1", query: `${place}, Kenya` }));
  const shown = number && phone(number);
  return (
    <div className="contact">
      {number && (
        <a className="button" href={`tel:+${number}`} aria-label={t`Call ${shown} (${order})`}>
          <Icon name="phone" />
          {shown}
        </a>
      )}
      {place && (
        <a
          className="button plain"
          href={map.href}
          target="_blank"
          rel="noopener noreferrer"
          aria-label={t`Map of ${place} (opens Google Maps)`}
        >
          <Trans>Map</Trans>
        </a>
      )}
    </div>
  );
}
